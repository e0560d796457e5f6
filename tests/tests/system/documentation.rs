//! What the API says of itself: its description, the reference made of it, and a page for each problem.

use oxcart_tests::{
    api::{Answer, Call},
    document::Document,
    pages::{is_of_type, loaded_by, loaded_by_style, unescaped},
    stack::Stack,
};
use serde_json::json;

/// How the API's description is kept.
const FOR_MINUTES: &str = "public, max-age=300, must-revalidate";
/// How files are kept whose names change with what they hold.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn the_description_that_is_served_is_the_one_that_was_written() {
    let stack = Stack::connect().await;

    let served = stack.api.get("/openapi.json").send().await.expect(200);

    assert_eq!(served.header("Content-Type"), Some("application/json"));
    assert_eq!(served.header("Cache-Control"), Some(FOR_MINUTES));
    let same = served.json() == Document::read().content;
    assert!(same, "infra/openapi.yaml says otherwise than /openapi.json");
}

#[tokio::test]
async fn pages_load_and_run_nothing_but_their_own() {
    let stack = Stack::connect().await;

    for path in ["/docs", "/problems/not-found"] {
        let page = stack.api.get(path).send().await.expect(200);
        assert_html(&page);
        // Kept, it would name files that are gone after a deployment.
        assert_eq!(page.header("Cache-Control"), Some("no-cache"), "{path}");
        assert_eq!(
            page.header("X-Content-Type-Options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            page.header("Referrer-Policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert_policy(&page);
    }
}

#[tokio::test]
async fn the_reference_loads_only_files_that_are_there_and_stay_what_they_are() {
    let stack = Stack::connect().await;
    let page = stack.api.get("/docs").send().await.expect(200).text();
    let loaded = loaded_by(&page);
    assert!(
        loaded.iter().any(|address| is_of_type(address, "js")),
        "a reference without a script: {page}"
    );

    let mut pending: Vec<String> = loaded
        .into_iter()
        .filter(|address| !address.starts_with("data:"))
        .map(|address| {
            // The API may be served below a path, so an address that begins with a slash leads elsewhere.
            let asset = address.trim_start_matches("./").strip_prefix("docs/");
            asset.unwrap_or_else(|| panic!("{address}")).to_owned()
        })
        .collect();
    while let Some(asset) = pending.pop() {
        assert!(
            !asset.is_empty() && !asset.contains(['/', ':', '?']),
            "{asset}"
        );
        let call = stack.api.get(&format!("/docs/{asset}"));
        let file = call.send().await.expect(200);
        assert!(!file.body.is_empty(), "{asset}");
        assert_eq!(file.header("Cache-Control"), Some(FOR_EVER), "{asset}");
        let media_type = file.header("Content-Type").unwrap_or_default();
        let (media_type, _) = media_type.split_once(';').unwrap_or((media_type, ""));
        assert_eq!(media_type, media_type_of(&asset), "{asset}");
        if is_of_type(&asset, "css") {
            let more = loaded_by_style(&file.text());
            let more = more.into_iter();
            let more = more.filter(|address| !address.starts_with("data:"));
            pending.extend(more.map(|address| address.trim_start_matches("./").to_owned()));
        }
    }
}

#[tokio::test]
async fn who_has_a_page_already_is_told_so() {
    let stack = Stack::connect().await;

    for path in pages(&stack).await {
        for accepted in ["identity", "gzip", "br"] {
            let read = || accepting(&stack, &path, accepted);
            let page = read().send().await.expect(200);
            let tag = page.header("ETag").expect("an ETag");
            let call = read().header("If-None-Match", tag);
            let unchanged = call.send().await.expect(304);
            assert!(unchanged.body.is_empty(), "{path} for {accepted}");
            assert_eq!(unchanged.header("ETag"), Some(tag), "{path} for {accepted}");
            assert_eq!(
                unchanged.header("Cache-Control"),
                page.header("Cache-Control"),
                "{path} for {accepted}"
            );
        }
    }
}

#[tokio::test]
async fn pages_are_sent_as_small_as_their_reader_can_take_them() {
    let stack = Stack::connect().await;

    for path in pages(&stack).await {
        let plain = accepting(&stack, &path, "identity")
            .send()
            .await
            .expect(200);
        assert_eq!(plain.header("Content-Encoding"), None, "{path}");
        let long = plain.body.len() >= 1400;

        for (accepted, coding) in [
            ("br", "br"),
            ("gzip, deflate, br", "br"),
            ("gzip", "gzip"),
            ("gzip, br;q=0", "gzip"),
        ] {
            let page = accepting(&stack, &path, accepted).send().await.expect(200);
            assert_eq!(page.decoded(), plain.body, "{path} for {accepted}");
            if long {
                let sent = page.header("Content-Encoding");
                assert_eq!(sent, Some(coding), "{path} for {accepted}");
                assert!(page.body.len() < plain.body.len(), "{path} for {accepted}");
                let varies = page.items_of("Vary");
                assert!(
                    varies.contains(&"accept-encoding".to_owned()),
                    "{path}: a cache would send it to who can't read it"
                );
                let (tag, plain_tag) = (page.header("ETag"), plain.header("ETag"));
                assert!(tag.is_some() && tag != plain_tag, "{path}: {tag:?}");
            }
            assert_eq!(page.header("Content-Type"), plain.header("Content-Type"));
            let policy = "Content-Security-Policy";
            assert_eq!(page.header(policy), plain.header(policy), "{path}");
        }
    }
    let description = accepting(&stack, "/openapi.json", "br").send().await;
    assert_eq!(description.header("Content-Encoding"), Some("br"));
}

#[tokio::test]
async fn every_problem_has_a_page_that_explains_it() {
    let stack = Stack::connect().await;
    let document = Document::read();
    let problems = document.problems();
    assert!(problems.len() > 20, "{problems:?}");

    for problem in problems {
        let call = stack.api.get(&format!("/problems/{problem}"));
        let page = call.send().await.expect(200);
        assert_html(&page);
        assert_policy(&page);
        let (text, title) = (unescaped(&page.text()), document.title_of(problem));
        assert!(
            text.contains(title),
            "{problem} isn't called {title}: {text}"
        );
        for address in loaded_by(&page.text()) {
            // Seen from /problems/<name>.
            let Some(asset) = address.strip_prefix("../docs/") else {
                assert!(address.starts_with("data:"), "{problem}: {address}");
                continue;
            };
            let call = stack.api.get(&format!("/docs/{asset}"));
            call.send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_problem_leads_to_its_page() {
    let stack = Stack::connect().await;
    let refused = stack.api.get("/products?limit=0").send().await;
    let kind = refused.problem(400, "invalid-limit")["type"].clone();

    let page = stack.api.get(kind.as_str().unwrap()).send().await;

    assert_html(&page.expect(200));
}

#[tokio::test]
async fn what_is_no_page_is_not_found() {
    let stack = Stack::connect().await;

    for path in [
        "/docs/nothing.js",
        "/docs/docs.html",
        "/docs/openapi.json",
        "/docs/problems",
        "/docs/..%2fopenapi.json",
        "/docs/..%2Fdocs.html",
        "/docs/%2e%2e%2fopenapi.json",
        "/docs/..%5copenapi.json",
        "/docs/..%2f..%2fbootstrap",
        "/docs/%2fetc%2fpasswd",
        "/docs/..%252fopenapi.json",
        "/docs/%00",
        "/docs/nothing.js%00.css",
        "/docs/.hidden",
        "/docs/%20",
        "/problems/nothing",
        "/problems/NOT-FOUND",
        "/problems/not-found.html",
        "/problems/not-found%00",
        "/problems/not-found%00.html",
        "/problems/not-found%2f",
        "/problems/..%2fdocs",
        "/problems/%2e%2e%2fdocs",
        "/problems/..%5cdocs",
        "/problems/..%252fdocs",
        "/problems/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/problems/%c3%a4",
        "/openapi.json.br",
        "/openapi.yaml",
    ] {
        for accepted in ["identity", "br"] {
            let answer = accepting(&stack, path, accepted).send().await;
            answer.problem(404, "not-found");
            assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{path}");
        }
    }
}

/// Asked of the function, since clients take dots out of paths before they send them.
#[tokio::test]
async fn no_name_leads_out_of_the_folder_of_the_pages() {
    let stack = Stack::connect().await;

    for name in [
        "",
        ".",
        "..",
        "../docs",
        "../docs.html",
        "../openapi.json",
        "../../bootstrap",
        "./not-found",
        "/etc/passwd",
        "..\\docs",
        "not-found/../not-found",
        "not-found\0",
        "..\0",
        "%2e%2e%2fdocs",
        "～",
    ] {
        for (route, folder, parameter) in [
            ("GET /docs/{asset}", "docs", "asset"),
            ("GET /problems/{name}", "problems", "name"),
        ] {
            let path = format!("/{folder}/something");
            let parameters = json!({parameter: name});
            let answer = stack.handed("serve-docs", route, "GET", &path, parameters);
            answer.await.problem(404, "not-found");
        }
    }
}

/// A page of each kind.
async fn pages(stack: &Stack) -> Vec<String> {
    vec![
        "/docs".to_owned(),
        stack.docs_asset().await,
        "/openapi.json".to_owned(),
        "/problems/idempotency-key-reused".to_owned(),
    ]
}

fn accepting(stack: &Stack, path: &str, coding: &str) -> Call {
    let call = stack.api.get(path);
    call.header("Accept-Encoding", coding)
}

fn assert_html(page: &Answer) {
    let media_type = page.header("Content-Type").unwrap_or_default();
    assert!(
        media_type.starts_with("text/html") && media_type.contains("utf-8"),
        "{}: {media_type}",
        page.what
    );
    let text = page.text();
    assert!(
        text.to_ascii_lowercase().starts_with("<!doctype html>"),
        "{}: {text}",
        page.what
    );
    assert!(text.contains(" lang="), "{}: in which language?", page.what);
}

/// Checks that a page may load what the API serves and nothing else, may run no script that stands in a page,
/// and may be framed by nobody.
fn assert_policy(page: &Answer) {
    let policy = page.header("Content-Security-Policy").unwrap_or_default();
    let sources = |directive: &str| {
        let mut directives = policy.split(';').map(str::trim);
        directives.find_map(|text| text.strip_prefix(directive)?.strip_prefix(' '))
    };
    for (directive, expected) in [
        ("default-src", "'none'"),
        ("script-src", "'self'"),
        ("connect-src", "'self'"),
        ("base-uri", "'none'"),
        ("form-action", "'none'"),
        ("frame-ancestors", "'none'"),
    ] {
        let found = sources(directive);
        assert_eq!(found, Some(expected), "{}: {policy}", page.what);
    }
    for elsewhere in ["http:", "https:", "*", "unsafe-eval"] {
        assert!(!policy.contains(elsewhere), "{}: {policy}", page.what);
    }
}

/// What a file of this name is.
fn media_type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("woff2") => "font/woff2",
        _ => panic!("what is {name}?"),
    }
}
