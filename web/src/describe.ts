import guide from "./guide.md?raw";

/** As much of an OpenAPI document as this page touches. */
export interface Description {
  info: { title: string; summary?: string; description?: string };
  tags?: { name: string; "x-displayName"?: string }[];
  paths: Record<string, Record<string, Operation | Parameter[]>>;
  components: {
    parameters?: Record<string, Parameter>;
    responses?: Record<string, Response>;
    examples?: Record<string, { value?: unknown }>;
  };
}
interface Operation {
  summary?: string;
  parameters?: Parameter[];
  responses?: Record<string, Response>;
}
interface Parameter {
  name: string;
  required?: boolean;
  description?: string;
  example?: unknown;
  examples?: Record<string, { value?: unknown; "x-disabled"?: boolean }>;
}
interface Response {
  description?: string;
  content?: Record<string, { examples?: Record<string, unknown> }>;
}

/** Stands in the example of Idempotency-Key; what is sent instead is new with each call. */
export const FRESH_KEY = "fresh-for-each-call";

/** As much of a product as the example order needs. */
export interface Product {
  sku: string;
  unit_price: { amount: number; currency: string };
  available: number;
}

/**
 * The document as this page shows it: the same contract, with what only makes sense on a page that can make calls.
 *
 * @param product one that is for sale, so that the example order can be placed as it stands
 */
export function describe(description: Description, product: Product | undefined): Description {
  const page = structuredClone(description);
  page.info.title = "Oxcart API";
  page.info.description = withGuide(page.info.description ?? "");
  for (const tag of page.tags ?? []) {
    tag["x-displayName"] ??= tag.name.charAt(0).toUpperCase() + tag.name.slice(1);
  }

  const parts = Object.values(page.paths).flatMap((item) => Object.values(item));
  const operations = parts.filter((part): part is Operation => !Array.isArray(part));
  const shared = parts.filter((part) => Array.isArray(part)).flat();
  for (const operation of operations) {
    // Summaries are the headings and the navigation here.
    if (operation.summary) operation.summary = operation.summary.replace(/\.$/, "");
  }
  for (const response of [page.components, ...operations].flatMap(({ responses }) => Object.values(responses ?? {}))) {
    linkProblems(response);
  }
  for (const parameter of [
    ...Object.values(page.components.parameters ?? {}),
    ...shared,
    ...operations.flatMap(({ parameters }) => parameters ?? []),
  ]) {
    prepareParameter(parameter);
  }

  const order = page.components.examples?.["PlaceOrder"];
  if (product && order) order.value = orderOf(product);
  return page;
}

/** Puts the page's guide in the place of the document's own section, which can't know what this page does. */
function withGuide(text: string): string {
  const [introduction = "", ...sections] = text.split(/^(?=## )/m);
  return [introduction, guide, ...sections.filter((section) => !/^## Try it\s*$/m.test(section))].join("\n\n");
}

/** Names the pages that explain the problems of a response. */
function linkProblems(response: Response): void {
  const names = Object.keys(response.content?.["application/problem+json"]?.examples ?? {});
  if (names.length === 0) return;
  const links = names.map((name) => `[${name}](problems/${name})`).join(" · ");
  response.description = `${response.description?.trim() ?? ""} ${links}`;
}

/** Optional parameters keep their examples, but are only sent by who wants them. Waiting for the outcome is wanted here. */
function prepareParameter(parameter: Parameter): void {
  if (parameter.name === "Idempotency-Key") {
    delete parameter.examples;
    parameter.example = FRESH_KEY;
    parameter.description = [
      parameter.description ?? "",
      `On this page \`${FRESH_KEY}\` stands for a new UUID with each call. Write a value of your own to repeat a request.`,
    ].join("\n\n");
  } else if (!parameter.required && parameter.name !== "Prefer") {
    const { example, ...rest } = parameter;
    if (example === undefined && parameter.examples === undefined) return;
    delete parameter.example;
    parameter.examples = rest.examples ?? { example: { value: example } };
    for (const one of Object.values(parameter.examples)) one["x-disabled"] = true;
  }
}

function orderOf({ sku, unit_price }: Product): unknown {
  return { lines: [{ sku, quantity: 1 }], payment_method: "pm_card_visa", expected_total: unit_price };
}
