import markdownIt from "markdown-it";

/** What clients may run into, and a page about it. */
export interface Problem {
  name: string;
  title: string;
  text: string;
}

/** Paths of what the pages share, relative to the folder above theirs. */
export interface Look {
  style: string;
  logo: string;
}

const markdown = markdownIt({
  typographer: false,
  highlight: (code, language) => (language === "json" ? coloured(code) : ""),
});

/** A problem from its Markdown, whose first line is the title. */
export function readProblem(name: string, source: string): Problem {
  const [, title, text] = /^# (.+)\n([^]*)$/.exec(source) ?? [];
  if (title === undefined || text === undefined)
    throw new Error(`The page about ${name} has to begin with its title, as in "# Title"`);
  return { name, title, text };
}

/** The whole page. It needs no script. */
export function problemPage({ name, title, text }: Problem, all: Problem[], look: Look): string {
  const escape = markdown.utils.escapeHtml;
  const others = all
    .filter((other) => other.name !== name)
    .map((other) => `<li><a href="${other.name}" title="${escape(other.title)}">${other.name}</a></li>`)
    .join("\n        ");
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${escape(title)} · Oxcart API</title>
    <link rel="icon" href="../${look.logo}" type="image/svg+xml">
    <link rel="stylesheet" href="../${look.style}">
  </head>
  <body>
    <header>
      <a class="wordmark" href="../docs">
        <img src="../${look.logo}" alt="" width="26" height="26"> <span>Oxcart</span> <span class="kind">API</span>
      </a>
      <a href="../docs">API reference</a>
    </header>
    <main>
      <p class="kicker">Problem</p>
      <h1>${escape(title)}</h1>
${markdown.render(text)}    </main>
    <nav aria-labelledby="others">
      <h2 id="others">Other problems</h2>
      <ul>
        ${others}
      </ul>
    </nav>
  </body>
</html>
`;
}

/** JSON with its names, texts and other values marked, for the style sheet to colour. */
function coloured(json: string): string {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)/g;
  let html = "";
  let end = 0;
  for (const match of json.matchAll(token)) {
    const [whole, text, colon, value] = match;
    const kind = value !== undefined ? "value" : colon !== undefined ? "name" : "text";
    html += markdown.utils.escapeHtml(json.slice(end, match.index));
    html += `<span class="${kind}">${markdown.utils.escapeHtml(text ?? value ?? "")}</span>${colon ?? ""}`;
    end = match.index + whole.length;
  }
  return html + markdown.utils.escapeHtml(json.slice(end));
}
