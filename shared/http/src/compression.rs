//! Content codings (RFC 9110, section 8.4): HTTP APIs of API Gateway don't compress, so functions do.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use lambda_http::{Request, http::header};

use crate::list::items;

/// A packet's worth. What is smaller travels as fast as it is.
const WORTHWHILE: usize = 1400;

/// Whether the client takes `coding`.
pub(crate) fn accepts(request: &Request, coding: &str) -> bool {
    items(request, header::ACCEPT_ENCODING).any(|accepted| {
        let (name, weight) = accepted.split_once(';').unwrap_or((accepted, ""));
        name.trim().eq_ignore_ascii_case(coding) && !is_nought(weight)
    })
}

/// `body` in gzip, where that is worth its while.
pub(crate) fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < WORTHWHILE {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Memory takes all that is written to it.
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Whether a weight such as `q=0.0` rules a coding out.
fn is_nought(weight: &str) -> bool {
    weight
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, weight)| weight.trim().parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, http};

    use super::*;

    fn accepting(value: &str) -> Request {
        http::Request::builder()
            .header("accept-encoding", value)
            .body(Body::Empty)
            .unwrap()
    }

    #[test]
    fn a_coding_is_used_for_who_names_it_and_does_not_rule_it_out() {
        for yes in ["gzip", "br, gzip", "GZIP;q=0.5", "gzip; q=1"] {
            assert!(accepts(&accepting(yes), "gzip"), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; Q=0.000", "identity", "xgzip"] {
            assert!(!accepts(&accepting(no), "gzip"), "{no}");
        }
    }

    #[test]
    fn what_fits_into_a_packet_is_left_as_it_is() {
        assert_eq!(gzip(&[b' '; WORTHWHILE - 1]), None);
        assert!(gzip(&[b' '; WORTHWHILE]).unwrap().len() < 100);
    }
}
