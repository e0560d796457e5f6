import { createClient, unwrap } from "@oxcart/client";

export async function buy(baseUrl: string, email: string, password: string, sku: string) {
  const client = createClient({ baseUrl });
  await client.login({ email, password });
  const order = { lines: [{ sku, quantity: 1 }], payment_method: "pm_card_visa" };
  return unwrap(client.POST("/orders", { body: order }));
}
