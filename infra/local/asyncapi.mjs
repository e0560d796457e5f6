// Validates an AsyncAPI document: node asyncapi.mjs <folder with node_modules> <document>. Ends with 1 if it isn't one.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [tools, document] = process.argv.slice(2).map((path) => resolve(path));
const { DiagnosticSeverity, Parser } = createRequire(join(tools, 'package.json'))('@asyncapi/parser');

// What the parser says of a document that is as it should be: that there is a newer version of the specification.
const REMARKS = new Set(['asyncapi-latest-version']);

const { document: parsed, diagnostics } = await new Parser().parse(readFileSync(document, 'utf8'), { source: document });
const findings = diagnostics.filter(({ code }) => !REMARKS.has(code));
for (const { code, message, path, range, severity } of findings) {
  const place = `${document}:${range.start.line + 1}:${range.start.character + 1}`;
  console.error(`${place} ${DiagnosticSeverity[severity]} ${code} at ${path.join('/') || 'the root'}: ${message}`);
}
if (findings.length > 0 || parsed === undefined) {
  process.exit(1);
}
console.log(`  ${parsed.allMessages().length} messages, ${parsed.allOperations().length} operations`);
