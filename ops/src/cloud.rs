//! Reaches the stack from a terminal: the only module that reads the environment. `cargo xtask ops` hands both the
//! local stack's and AWS's outputs over as variables.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};
use oxcart_operating::{Cloud, Outcome, region_of};

/// Connects to the stack that `settings` tell of, with the credentials of the environment or a profile.
pub(crate) async fn connect(settings: BTreeMap<String, String>) -> Outcome<Cloud> {
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region_of(&settings)?))
        .load()
        .await;
    Ok(Cloud::new(&aws, settings))
}

/// The environment. What isn't text is nothing of ours.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where this program reads the environment"
)]
pub(crate) fn environment() -> BTreeMap<String, String> {
    let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(texts).collect()
}
