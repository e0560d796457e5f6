//! The gateway's `$default` route: what no other route takes.

use std::collections::BTreeMap;

use oxcart_http::{
    Answer, Kind, Problem, Request, RequestExt as _, StatusCode,
    header::{self, HeaderValue},
    no_content,
};
use serde::{Deserialize, de::IgnoredAny};

const METHOD_NOT_ALLOWED: Kind = Kind::new(
    "method-not-allowed",
    "This method is not for this path",
    StatusCode::METHOD_NOT_ALLOWED,
);

/// The paths of the API and their methods.
#[derive(Debug)]
pub struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    segments: Vec<String>,
    allow: String,
}

/// What a path takes. Whatever else its description holds is left aside.
#[derive(Debug, Deserialize)]
struct PathItem {
    get: Option<IgnoredAny>,
    post: Option<IgnoredAny>,
    put: Option<IgnoredAny>,
    patch: Option<IgnoredAny>,
    delete: Option<IgnoredAny>,
}

impl PathItem {
    /// The methods. The gateway has a `HEAD` for each `GET`, and this function answers `OPTIONS`.
    fn allow(&self) -> String {
        let methods = [
            ("GET, HEAD", self.get),
            ("POST", self.post),
            ("PUT", self.put),
            ("PATCH", self.patch),
            ("DELETE", self.delete),
        ];
        let methods = methods
            .into_iter()
            .filter_map(|(name, taken)| taken.map(|_| name));
        methods.chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
    }
}

impl Routes {
    /// The routes that an OpenAPI document, in JSON, describes.
    ///
    /// # Errors
    /// When it is no such document.
    pub fn of(document: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            paths: BTreeMap<String, PathItem>,
        }

        let Document { paths } = serde_json::from_slice(document)?;
        let mut routes: Vec<_> = paths
            .iter()
            .map(|(path, item)| Route {
                segments: segments(path),
                allow: item.allow(),
            })
            .collect();
        // Of two that match, the one that says more is meant.
        routes.sort_by_key(|route| route.segments.iter().filter(|name| is_open(name)).count());
        Ok(Self(routes))
    }

    /// What `Allow` says of a path (RFC 9110, section 10.2.1), if there is such a path.
    fn allow(&self, path: &str) -> Option<&str> {
        let path = segments(path);
        let matches = |route: &&Route| {
            let mut named = route.segments.iter().zip(&path);
            route.segments.len() == path.len()
                && named.all(|(name, given)| name == given || (is_open(name) && !given.is_empty()))
        };
        self.0
            .iter()
            .find(matches)
            .map(|route| route.allow.as_str())
    }
}

/// Says that there is nothing at the path, or which methods are for it.
///
/// # Errors
/// 404 and 405, unless it is asked what there is (`OPTIONS`).
pub async fn handle(routes: &Routes, request: Request) -> Result<Answer, Problem> {
    let Some(allow) = routes.allow(request.raw_http_path()) else {
        return Err(Problem::new(
            Kind::NOT_FOUND,
            "The API has no such path; /openapi.json lists those that it has.",
        ));
    };
    let header = HeaderValue::from_str(allow).map_err(|error| Problem::internal(&error))?;
    if request.method() == "OPTIONS" {
        return Ok(no_content().with(header::ALLOW, header));
    }
    let detail = format!("The methods of this path are {allow}.");
    Err(Problem::new(METHOD_NOT_ALLOWED, detail).with_header(header::ALLOW, header))
}

fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(ToOwned::to_owned).collect()
}

/// Whether a segment of a path stands for anything, such as `{sku}`.
fn is_open(segment: &str) -> bool {
    segment.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_segments() {
        let document = br#"{"paths": {
            "/orders/{id}": {"get": {}, "parameters": []},
            "/orders/mine": {"delete": {}},
            "/orders": {"post": {}, "get": {}}
        }}"#;
        let routes = Routes::of(document).unwrap();

        assert_eq!(routes.allow("/orders"), Some("GET, HEAD, POST, OPTIONS"));
        assert_eq!(routes.allow("/orders/1"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(routes.allow("/orders/mine"), Some("DELETE, OPTIONS"));
        for unknown in ["", "/", "/orders/", "/orders/1/2", "/order", "orders/{id}/"] {
            assert_eq!(routes.allow(unknown), None, "{unknown}");
        }
    }
}
