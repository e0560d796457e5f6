// Pages in a browser, under watch: a test fails if its page did what one that works never does.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";
import { launch } from "./chromium.mjs";
import { DEADLINE, api } from "./shop.mjs";

const screenshots = process.env.SCREENSHOTS;
if (screenshots) mkdirSync(screenshots, { recursive: true });

/** Gives each test of a file a page of its own. */
export function watchedPages({ mayGiveUp = false } = {}) {
  let browser;
  let faults;
  const pages = {
    /** The page that was opened last. */
    page: undefined,
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(DEADLINE);
      await page.addInitScript(() => {
        // The console says it too, but not always in time.
        addEventListener("securitypolicyviolation", (event) => {
          console.error(
            `refused by the Content-Security-Policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`,
          );
        });
      });
      page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
      page.on("pageerror", (error) => faults.push(`page: ${error.stack}`));
      page.on("requestfailed", (request) => {
        const why = request.failure()?.errorText;
        // It went on to something else before the answer came.
        if (!(mayGiveUp && why === "net::ERR_ABORTED")) faults.push(`failed: ${request.url()} ${why}`);
      });
      page.on(
        "response",
        (response) => response.status() >= 400 && faults.push(`${response.status()}: ${response.url()}`),
      );
      page.on("request", (request) => {
        const { origin, protocol } = new URL(request.url());
        if (protocol !== "data:" && protocol !== "blob:" && origin !== new URL(api).origin)
          faults.push(`another host: ${request.url()}`);
      });
      pages.page = page;
      return page;
    },
    /** Keeps a picture of the page, if somebody wants pictures. */
    async picture(name) {
      if (screenshots) await pages.page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });
    },
  };
  before(async () => (browser = await launch()));
  after(() => browser?.close());
  beforeEach(async () => {
    faults = [];
    await pages.open();
  });
  afterEach(async () => {
    await pages.page.context().close();
    assert.deepEqual(faults, []);
  });
  return pages;
}

/** Fails unless pages from here may do nothing that a strict policy forbids. */
export function assertStrict(response) {
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
}
