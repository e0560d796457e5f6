//! One rule: which calls it strikes, and what becomes of them.

use std::time::Duration;

use serde_json::Value;

use super::service::Service;

/// How long a hung call hangs unless a rule says otherwise: longer than the clients of the functions wait.
const HANG: Duration = Duration::from_secs(3);

/// Which calls are struck, and how.
pub(super) struct Rule {
    /// Only calls of this function, by its deployed name.
    pub(super) function: Option<String>,
    /// Only calls of this service.
    pub(super) service: Option<Service>,
    /// Only calls whose path or body holds this, or that are about the payment intent of the order that
    /// this is the id of.
    pub(super) contains: String,
    /// Only calls that change something.
    pub(super) writes_only: bool,
    /// How many such calls pass before the first is struck.
    pub(super) skip: u64,
    /// How many are struck.
    pub(super) times: u64,
    /// What is done to them.
    pub(super) action: Action,
    /// How long a call hangs.
    pub(super) hang: Duration,
}

/// What becomes of a call that is struck.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// It goes through, and is written down.
    Watch,
    /// It is refused, and the service never hears of it.
    Refuse,
    /// The service does it, and then it is refused.
    LoseAnswer,
    /// There were too many, says the service, which never heard of it.
    Throttle,
    /// The connection is closed, and the service never hears of it.
    Reset,
    /// The service does it, and the connection is closed without an answer.
    ResetAfter,
    /// The service does it, nothing is answered for a time, and the connection is closed.
    HangAfter,
    /// The caller is killed, and the service never hears of it.
    Kill,
    /// The service does it, and the caller is killed before it has the answer.
    KillAfter,
    /// It goes through once it is released.
    Hold,
    /// The service does it, and answers once it is released.
    HoldAnswer,
}

impl Action {
    const NAMES: [(&'static str, Self); 11] = [
        ("watch", Self::Watch),
        ("refuse", Self::Refuse),
        ("lose-answer", Self::LoseAnswer),
        ("throttle", Self::Throttle),
        ("reset", Self::Reset),
        ("reset-after", Self::ResetAfter),
        ("hang-after", Self::HangAfter),
        ("kill", Self::Kill),
        ("kill-after", Self::KillAfter),
        ("hold", Self::Hold),
        ("hold-answer", Self::HoldAnswer),
    ];

    /// Its name in the admin interface.
    pub(super) fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, action)| *action == self)
            .map_or("unknown", |(name, _)| name)
    }

    /// Whether it needs to know the process that calls.
    pub(super) fn kills(self) -> bool {
        matches!(self, Self::Kill | Self::KillAfter)
    }

    fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names
            .find(|(known, _)| *known == name)
            .map(|(_, action)| *action)
    }
}

impl Rule {
    /// Reads a rule as the admin interface is given it. Only `action` has to be there.
    pub(super) fn read(json: &Value) -> Result<Self, String> {
        let number = |name: &str, otherwise: u64| match json.get(name) {
            None | Some(Value::Null) => Ok(otherwise),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| format!("{name} is no whole number")),
        };
        let text = |name: &str| match json.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{name} is no text")),
        };
        let service = match text("service")?.as_deref() {
            None => None,
            Some("cloud") => Some(Service::Cloud),
            Some("gateway") => Some(Service::Gateway),
            Some(other) => return Err(format!("there is no service {other}")),
        };
        let action = text("action")?.ok_or("action is missing")?;
        let action =
            Action::named(&action).ok_or_else(|| format!("there is no action {action}"))?;
        let hang = number("milliseconds", 0)?;
        Ok(Self {
            function: text("function")?,
            service,
            contains: text("contains")?.unwrap_or_default(),
            writes_only: json.get("writes_only").and_then(Value::as_bool) == Some(true),
            skip: number("skip", 0)?,
            times: number("times", 1)?,
            action,
            hang: if hang == 0 {
                HANG
            } else {
                Duration::from_millis(hang)
            },
        })
    }

    /// Whether it has to be known who calls.
    pub(super) fn needs_caller(&self) -> bool {
        self.function.is_some() || self.action.kills()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Action, HANG, Rule, Service};

    #[test]
    fn a_rule_strikes_once_unless_told_otherwise() {
        let rule = Rule::read(&json!({"action": "kill"})).unwrap();
        assert_eq!((rule.skip, rule.times, rule.hang), (0, 1, HANG));
        assert!(rule.function.is_none() && !rule.writes_only && rule.needs_caller());
        assert_eq!(rule.action, Action::Kill);
    }

    #[test]
    fn a_rule_is_read_as_it_is_given() {
        let given = json!({
            "function": "oxcart-reserve-stock", "service": "cloud", "contains": "ORDER#1", "writes_only": true,
            "skip": 2, "times": 3, "action": "hang-after", "milliseconds": 9000,
        });
        let rule = Rule::read(&given).unwrap();
        assert_eq!(rule.function.as_deref(), Some("oxcart-reserve-stock"));
        assert_eq!(rule.contains, "ORDER#1");
        assert!(rule.service == Some(Service::Cloud) && rule.writes_only);
        assert_eq!((rule.skip, rule.times), (2, 3));
        assert_eq!(rule.hang, Duration::from_secs(9));
    }

    #[test]
    fn what_makes_no_sense_is_no_rule() {
        for given in [
            json!({}),
            json!({"action": "explode"}),
            json!({"action": "kill", "times": "often"}),
            json!({"action": "kill", "function": 7}),
            json!({"action": "kill", "service": "post"}),
        ] {
            assert!(Rule::read(&given).is_err(), "{given}");
        }
    }

    #[test]
    fn every_action_has_one_name() {
        for (name, action) in Action::NAMES {
            assert_eq!((action.name(), Action::named(name)), (name, Some(action)));
        }
    }
}
