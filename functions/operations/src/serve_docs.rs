//! `GET /docs`, `GET /docs/{asset}`, `GET /openapi.json` and `GET /problems/{name}`: what the API says of
//! itself; and `GET /console`: the page on which the shop is looked after, which calls this API like any other client.

use std::io;

use oxcart_http::{Answer, Problem, Request, RequestExt as _, content, header};

use crate::site::{Site, media_type};

/// How long the API's description may be kept, in seconds.
const DESCRIPTION_MAX_AGE: u32 = 300;

/// The codings in which the build left files beside themselves, best first, and what their names end with.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Pages load and call nothing but this API, and no other page may frame them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Answers a page, or a file that belongs to one.
///
/// # Errors
/// 404.
pub async fn handle(site: &Site, request: Request) -> Result<Answer, Problem> {
    let parameters = request.path_parameters();
    match (parameters.first("asset"), parameters.first("name")) {
        (Some(asset), _) => Ok(file(site, &request, &format!("docs/{asset}"))?.immutable()),
        (_, Some(name)) => page(site, &request, &format!("problems/{name}.html")),
        _ if request.raw_http_path().ends_with("/openapi.json") => {
            Ok(file(site, &request, "openapi.json")?.public(DESCRIPTION_MAX_AGE))
        }
        _ if request.raw_http_path().ends_with("/console") => page(site, &request, "console.html"),
        _ => page(site, &request, "docs.html"),
    }
}

fn page(site: &Site, request: &Request, path: &str) -> Result<Answer, Problem> {
    // Kept, it would name files that are gone after a deployment.
    let page = file(site, request, path)?.public(0);
    Ok(page
        .with(
            header::CONTENT_SECURITY_POLICY,
            header::HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        )
        .with(
            header::REFERRER_POLICY,
            header::HeaderValue::from_static("no-referrer"),
        ))
}

fn file(site: &Site, request: &Request, path: &str) -> Result<Answer, Problem> {
    if CODINGS.iter().any(|(_, end)| path.ends_with(end)) {
        return Err(Problem::not_found());
    }
    let read = |end: &str| site.read(&format!("{path}{end}"));
    match content(request, media_type(path), CODINGS, read) {
        Ok(file) => Ok(file.conditional(request)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Problem::not_found()),
        Err(error) => Err(Problem::internal(&error)),
    }
}
