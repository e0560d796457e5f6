//! A position in a trace, as W3C Trace Context writes it.

use uuid::Uuid;

/// A span of a trace: [W3C Trace Context](https://www.w3.org/TR/trace-context/) level 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    /// Whether whoever was here before records the trace.
    pub(crate) sampled: bool,
}

impl TraceContext {
    /// A new trace.
    #[must_use]
    pub fn start() -> Self {
        Self {
            trace_id: Uuid::new_v4().as_u128(),
            span_id: fresh_span(),
            sampled: true,
        }
    }

    /// The span that a `traceparent` header names; none if it isn't one.
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
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Self::known(
            u128::from_str_radix(trace, 16).ok()?,
            u64::from_str_radix(span, 16).ok()?,
            flags & 1 == 1,
        )
    }

    /// The segment that an [X-Ray header](https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader)
    /// (`Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`) names; none if it names none.
    ///
    /// It counts as recorded whatever the header says: `Sampled=0` is X-Ray's own choice, and stands wherever X-Ray
    /// isn't used at all.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let part = |name: &str| {
            let mut parts = header.split(';').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let trace: String = part("Root")?.strip_prefix("1-")?.split('-').collect();
        if trace.len() != 32 {
            return None;
        }
        let span = match part("Parent") {
            Some(parent) => u64::from_str_radix(parent, 16).ok()?,
            None => fresh_span(),
        };
        Self::known(u128::from_str_radix(&trace, 16).ok()?, span, true)
    }

    /// 0 stands for "none" in both ids.
    fn known(trace_id: u128, span_id: u64, sampled: bool) -> Option<Self> {
        (trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            sampled,
        })
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            span_id: fresh_span(),
            ..self
        }
    }

    /// The trace's id in hex, as problem documents and logs show it.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The `traceparent` header for what is called from here.
    #[must_use]
    pub fn traceparent(self) -> String {
        let (trace, span, flags) = (self.trace_id, self.span_id, u8::from(self.sampled));
        format!("00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

/// Random and not 0, which stands for "no span".
fn fresh_span() -> u64 {
    Uuid::new_v4().as_u64_pair().0 | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_goes_on_under_a_new_span() {
        let caller = TraceContext::from_traceparent(HEADER).unwrap();
        assert_eq!(caller.traceparent(), HEADER);
        let next = caller.next();
        assert_eq!(next.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_ne!(next.traceparent(), HEADER);
    }

    #[test]
    fn that_a_trace_is_not_recorded_is_handed_on() {
        let header = HEADER.replace("-01", "-00");
        let caller = TraceContext::from_traceparent(&header).unwrap();
        assert!(caller.next().traceparent().ends_with("-00"));
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
    fn an_xray_segment_is_a_span_of_the_same_trace() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
        let trace = TraceContext::from_xray(header).unwrap();
        assert_eq!(
            trace.traceparent(),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        );
        let rootless = TraceContext::from_xray("Root=1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(
            rootless.unwrap().trace_id(),
            "5759e988bd862e3fe1be46a994272793"
        );
        for bad in [
            "",
            "Parent=53995c3f42cd8ad8",
            "Root=1-0-0",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0",
        ] {
            assert_eq!(TraceContext::from_xray(bad), None, "{bad}");
        }
    }
}
