import { createApp, h, useTemplateRef } from "vue";
import { type Description, FRESH_KEY, type Product, describe } from "./describe.ts";
import { Footer } from "./footer.ts";
import { Header } from "./header.ts";
import { tokenOf } from "./session.ts";

/** Where the API is: this page is its `docs`. */
const base = new URL(".", location.href);

async function read<T>(path: string): Promise<T> {
  const response = await fetch(new URL(path, base), { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

/** The product of which there is most to sell. Without one, the page shows the document's own example. */
async function plentifulProduct(): Promise<Product | undefined> {
  try {
    const { items } = await read<{ items: Product[] }>("products");
    return items.filter(({ available }) => available > 0).sort((a, b) => b.available - a.available)[0];
  } catch {
    return undefined;
  }
}

async function start(): Promise<void> {
  const [{ ApiReference }, description, product] = await Promise.all([
    import("./reference.ts"),
    read<Description>("openapi.json"),
    plentifulProduct(),
  ]);
  const configuration = {
    content: describe(description, product) as unknown as Record<string, unknown>,
    title: "Oxcart API",
    servers: [{ url: base.href.replace(/\/$/, "") }],
    persistAuth: false,
    generateOperationSlug: (operation: { operationId?: string; method: string; path: string }) =>
      operation.operationId ?? `${operation.method}${operation.path}`,
    orderSchemaPropertiesBy: "preserve" as const,
    modelsSectionLabel: "Schemas",
    documentDownloadType: "none" as const,
    defaultHttpClient: { targetKey: "shell" as const, clientKey: "curl" as const },
    // Everything that would call another host or speaks of one.
    agent: { disabled: true },
    hideClientButton: true,
    mcp: { disabled: true },
    showDeveloperTools: "never" as const,
    telemetry: false,
    theme: "none" as const,
    withDefaultFonts: false,
  };

  createApp({
    setup() {
      const reference = useTemplateRef<InstanceType<typeof ApiReference>>("reference");
      const hooks = {
        onRequestBuilt({ request }: { request: Request }) {
          if (request.headers.get("idempotency-key") === FRESH_KEY) {
            request.headers.set("idempotency-key", crypto.randomUUID());
          }
        },
        async onResponseReceived({ request, response }: { request: Request; response: Response }) {
          const token = await tokenOf(request, response);
          if (token === undefined) return;
          reference.value?.eventBus.emit("auth:update:security-scheme-secrets", {
            name: "bearer",
            payload: { type: "http", "x-scalar-secret-token": token },
          });
        },
      };
      return () =>
        h(
          ApiReference,
          { ref: "reference", configuration: { ...configuration, ...hooks } },
          { "sidebar-start": () => h(Header), footer: () => h(Footer) },
        );
    },
  }).mount("#reference");
}

start().catch((error: unknown) => {
  console.error(error);
  document.querySelector("#reference")!.textContent =
    "The reference can't be shown right now. The document is at openapi.json.";
});
