// Places an order with one conditional PutItem: what the function place-order does, without its checks.

import { createHash } from 'node:crypto';

import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

import { serve } from './runtime.mjs';

const NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');
const table = new DynamoDBClient({});

await serve(async (event) => {
  const user = event.requestContext.authorizer.lambda.user_id;
  const request = JSON.parse(event.body);
  const order = uuid5(`${user}/${event.headers['idempotency-key']}`);
  const now = new Date().toISOString();
  const lines = request.lines.map(({ sku, quantity }) => ({ sku, quantity }));
  const line = ({ sku, quantity }) => ({ M: { sku: { S: sku }, quantity: { N: String(quantity) } } });
  const put = new PutItemCommand({
    TableName: 'bench-orders',
    Item: {
      pk: { S: `ORDER#${order}` },
      id: { S: order },
      customer_id: { S: user },
      status: { S: 'PENDING' },
      payment_method: { S: request.payment_method },
      lines: { L: lines.map(line) },
      created_at: { S: now },
    },
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await table.send(put);
  } catch (error) {
    if (error.name !== 'ConditionalCheckFailedException') throw error;
  }
  console.log(JSON.stringify({ level: 'INFO', message: 'answered', order_id: order }));
  return {
    statusCode: 202,
    headers: { 'content-type': 'application/json', location: `/orders/${order}` },
    body: JSON.stringify({ id: order, status: 'PENDING', lines, created_at: now }),
  };
});

function uuid5(name) {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
