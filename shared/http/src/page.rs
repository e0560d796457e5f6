//! Pages of lists: `?limit=1..100&cursor=<opaque>`.
//!
//! A cursor names the last item of the page before, so it tells nothing that its holder doesn't know. Where
//! items belong to somebody, it is an id that the endpoint looks up among the caller's own, which makes a
//! forged cursor a 400 and leaves nothing to read with another caller's.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lambda_http::{Request, RequestExt as _};
use serde::Serialize;

use crate::{Kind, Problem};

const DEFAULT_LIMIT: usize = 20;

/// Which page a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most, 1 to 100.
    pub limit: usize,
    /// What names the last item of the page before.
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl PageRequest {
    /// The page that `request` asks for.
    ///
    /// # Errors
    /// 400 for a limit that isn't a number from 1 to 100 and for a cursor that we can't have made.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let query = request.query_string_parameters();
        let limit = match query.first("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=100).contains(limit))
                .ok_or_else(|| {
                    Problem::new(
                        Kind::INVALID_LIMIT,
                        "The limit must be a number from 1 to 100.",
                    )
                    .in_parameter("limit", "must be a number from 1 to 100")
                })?,
        };
        let after = match query.first("cursor") {
            None => None,
            Some(cursor) => Some(decode(cursor).ok_or_else(Self::invalid_cursor)?),
        };
        Ok(Self { limit, after })
    }

    /// The answer to a cursor that the caller was never given.
    #[must_use]
    pub fn invalid_cursor() -> Problem {
        Problem::new(
            Kind::INVALID_CURSOR,
            "Use next_cursor of an earlier answer as it is, or none.",
        )
        .in_parameter("cursor", "is not one that this list has given out")
    }
}

impl<T> Page<T> {
    /// A page of `items`; `last` names the last one if more may follow.
    #[must_use]
    pub fn new(items: Vec<T>, last: Option<&str>) -> Self {
        Self {
            items,
            next_cursor: last.map(|id| BASE64_URL_SAFE_NO_PAD.encode(id)),
        }
    }
}

fn decode(cursor: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?)
        .ok()
        .filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use lambda_http::{Body, http};

    use super::*;

    fn asked(query: &[(&str, &str)]) -> Result<PageRequest, Problem> {
        let query: HashMap<_, _> = query
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        PageRequest::of(&http::Request::new(Body::Empty).with_query_string_parameters(query))
    }

    #[test]
    fn a_cursor_leads_back_to_the_item_that_it_was_made_from() {
        let page = Page::new(vec![1], Some("tea-assam"));
        assert_eq!(
            asked(&[("cursor", &page.next_cursor.unwrap())])
                .unwrap()
                .after
                .as_deref(),
            Some("tea-assam")
        );
    }

    #[test]
    fn limits_go_from_1_to_100() {
        assert_eq!(asked(&[]).unwrap().limit, 20);
        assert_eq!(asked(&[("limit", "100")]).unwrap().limit, 100);
        for bad in ["0", "101", "-1", "ten", ""] {
            assert!(asked(&[("limit", bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cursor_that_was_never_ours_is_refused() {
        for bad in ["", "%%%", "_w"] {
            assert!(asked(&[("cursor", bad)]).is_err(), "{bad:?}");
        }
    }
}
