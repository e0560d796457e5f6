//! The trace that the work in hand belongs to, as W3C Trace Context writes it.

use uuid::Uuid;

/// A position in a trace: [W3C Trace Context](https://www.w3.org/TR/trace-context/) level 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
}

impl TraceContext {
    /// A new trace.
    #[must_use]
    pub fn start() -> Self {
        Self {
            trace_id: Uuid::new_v4().as_u128(),
            span_id: fresh_span(),
        }
    }

    /// The next span of the trace that a `traceparent` header names; none if it isn't one.
    #[must_use]
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length| {
            text.len() == length
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        // Version 00 has exactly four parts; a later one may have more.
        let complete = version != "00" || parts.next().is_none();
        if !(is_hex(version, 2)
            && version != "ff"
            && is_hex(trace, 32)
            && is_hex(span, 16)
            && is_hex(flags, 2)
            && complete)
        {
            return None;
        }
        let parent = u64::from_str_radix(span, 16).ok()?;
        Self::child_of(u128::from_str_radix(trace, 16).ok()?, parent)
    }

    /// The next span of the trace that an X-Ray header (`Root=1-5759e988-bd862e3fe1be46a994272793;…`)
    /// names; none if it isn't one.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let root = header
            .split(';')
            .find_map(|part| part.trim().strip_prefix("Root=1-"))?;
        let trace = root.split('-').collect::<String>();
        if trace.len() != 32 {
            return None;
        }
        Self::child_of(u128::from_str_radix(&trace, 16).ok()?, 1)
    }

    fn child_of(trace_id: u128, parent: u64) -> Option<Self> {
        (trace_id != 0 && parent != 0).then(|| Self {
            trace_id,
            span_id: fresh_span(),
        })
    }

    /// The trace's id in hex, as problem documents and logs show it.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The `traceparent` header for what is called from here.
    #[must_use]
    pub fn traceparent(self) -> String {
        format!("00-{:032x}-{:016x}-01", self.trace_id, self.span_id)
    }
}

/// Random and not 0, which stands for "no span".
fn fresh_span() -> u64 {
    Uuid::new_v4().as_u64_pair().0 | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_under_a_new_span() {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = TraceContext::from_traceparent(header).unwrap();
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_ne!(trace.traceparent(), header);
    }

    #[test]
    fn what_is_no_traceparent_is_not_followed() {
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert_eq!(TraceContext::from_traceparent(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_xray_root_is_the_same_trace() {
        let trace =
            TraceContext::from_xray("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1").unwrap();
        assert_eq!(trace.trace_id(), "5759e988bd862e3fe1be46a994272793");
    }
}
