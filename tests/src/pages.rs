//! The pages that the API serves about itself, as far as a browser reads them before it runs anything.

use crate::stack::Stack;

impl Stack {
    /// Where a script of the API's reference page is.
    pub async fn docs_asset(&self) -> String {
        let page = self.api.get("/docs").send().await.expect(200).text();
        let script = loaded_by(&page)
            .into_iter()
            .find(|address| is_of_type(address, "js"));
        let script = script.unwrap_or_else(|| panic!("no script in {page}"));
        format!("/{}", script.trim_start_matches("./"))
    }
}

/// Whether an address ends as files of this type do.
pub fn is_of_type(address: &str, extension: &str) -> bool {
    address
        .rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

/// The addresses of all that a page loads by itself: scripts, style sheets, icons, pictures, frames.
pub fn loaded_by(html: &str) -> Vec<String> {
    let tags = html.split('<').filter_map(|text| text.split('>').next());
    tags.filter_map(|tag| {
        let tag = tag.split_whitespace().collect::<Vec<_>>().join(" ");
        let attribute = match tag.split(' ').next()?.to_ascii_lowercase().as_str() {
            "script" | "img" | "iframe" | "embed" | "source" => "src",
            "link" => "href",
            _ => return None,
        };
        attribute_of(&tag, attribute)
    })
    .collect()
}

/// The addresses of all that a style sheet loads.
pub fn loaded_by_style(css: &str) -> Vec<String> {
    let addresses = css.split("url(").skip(1);
    addresses
        .filter_map(|text| text.split(')').next())
        .map(|address| address.trim_matches(['"', '\'', ' ']).to_owned())
        .collect()
}

/// A text with the characters that HTML has to escape.
pub fn unescaped(html: &str) -> String {
    [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&rsquo;", "’"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(html.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}

fn attribute_of(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}="))?;
    let quoted = value.strip_prefix('"').map(|value| (value, '"'));
    let quoted = quoted.or_else(|| value.strip_prefix('\'').map(|value| (value, '\'')));
    let (value, end) = quoted.unwrap_or((value, ' '));
    value.split(end).next().map(ToOwned::to_owned)
}
