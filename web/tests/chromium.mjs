// A headless Chromium, from the npm package that brings one, so that nothing has to be installed for it. It lies packed
// in the package, with the libraries and the fonts that it needs; what is unpacked is kept. `CHROMIUM` names another one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { chromium } from "playwright-core";

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const packed = join(modules, "@sparticuz/chromium");

/** @returns {Promise<import("playwright-core").Browser>} */
export function launch() {
  const { executablePath, env } = process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM, env: {} } : unpack();
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

function unpack() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error("The packed Chromium is for Linux on x86-64; name another one in CHROMIUM");
  }
  const { version } = JSON.parse(readFileSync(join(packed, "package.json"), "utf8"));
  const folder = join(modules, ".cache", `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true });
    const unfinished = mkdtempSync(`${folder}-`);
    const content = (file) => brotliDecompressSync(readFileSync(join(packed, "bin", file)));
    writeFileSync(join(unfinished, "chromium"), content("chromium.br"), { mode: 0o755 });
    for (const archive of ["al2023.tar.br", "fonts.tar.br"]) {
      execFileSync("tar", ["--extract", "--directory", unfinished], { input: content(archive) });
    }
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      // Another run was faster.
      rmSync(unfinished, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const fonts = join(folder, "fonts.conf");
  writeFileSync(fonts, fontsConf(folder));
  return {
    executablePath: join(folder, "chromium"),
    env: { LD_LIBRARY_PATH: join(folder, "lib"), FONTCONFIG_FILE: fonts },
  };
}

/** The packed fonts, and those of the machine, which has a better one for code. */
const fontsConf = (folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
  <alias binding="strong"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
`;
