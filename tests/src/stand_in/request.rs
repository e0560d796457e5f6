//! What a request asks for, and whether it makes sense before anything is looked up.

use axum::http::Method;
use serde_json::{Map, Value};

use super::{answer::Refusal, script::Call};

/// The largest amount that Stripe takes, in minor units.
const LARGEST_AMOUNT: u64 = 99_999_999;
/// The longest page of a list.
const LARGEST_PAGE: usize = 100;
/// The page of a list when none is asked for.
const USUAL_PAGE: usize = 10;

/// A request as it was sent: the same again is a repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// What it is about.
    pub(super) target: Target,
    /// Its form or query.
    pub(super) parameters: Parameters,
}

/// What a request is about: what its method and path say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A new intent.
    Create,
    /// This intent.
    Read(String),
    /// Taking this intent's money.
    Confirm(String),
    /// Giving this intent up.
    Cancel(String),
    /// Giving money back.
    Refund,
    /// What was given back.
    Refunds,
}

impl Target {
    /// What is at this address, if anything is.
    pub(super) fn at(method: &Method, path: &str) -> Option<Self> {
        let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method.as_str(), path.as_slice()) {
            ("POST", ["v1", "payment_intents"]) => Some(Self::Create),
            ("GET", ["v1", "payment_intents", id]) => Some(Self::Read((*id).to_owned())),
            ("POST", ["v1", "payment_intents", id, "confirm"]) => {
                Some(Self::Confirm((*id).to_owned()))
            }
            ("POST", ["v1", "payment_intents", id, "cancel"]) => {
                Some(Self::Cancel((*id).to_owned()))
            }
            ("POST", ["v1", "refunds"]) => Some(Self::Refund),
            ("GET", ["v1", "refunds"]) => Some(Self::Refunds),
            _ => None,
        }
    }

    /// Which kind of call it is.
    pub(super) const fn call(&self) -> Call {
        match self {
            Self::Create => Call::Create,
            Self::Read(_) => Call::Read,
            Self::Confirm(_) => Call::Confirm,
            Self::Cancel(_) => Call::Cancel,
            Self::Refund => Call::Refund,
            Self::Refunds => Call::Refunds,
        }
    }

    /// Whether it changes anything; only then do idempotency keys mean something.
    pub(super) const fn changes_something(&self) -> bool {
        match self {
            Self::Create | Self::Confirm(_) | Self::Cancel(_) | Self::Refund => true,
            Self::Read(_) | Self::Refunds => false,
        }
    }

    /// The intent in the address.
    pub(super) fn intent(&self) -> Option<&str> {
        match self {
            Self::Read(id) | Self::Confirm(id) | Self::Cancel(id) => Some(id),
            Self::Create | Self::Refund | Self::Refunds => None,
        }
    }
}

/// A form or query, in whatever order it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn new(mut sent: Vec<(String, String)>) -> Self {
        sent.sort();
        Self(sent)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(sent, _)| sent == name)?;
        Some(self.0.remove(position).1)
    }

    fn take_required(&mut self, name: &str) -> Result<String, Refusal> {
        self.take(name).ok_or_else(|| missing(name))
    }

    fn take_amount(&mut self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        match text.parse::<u64>() {
            Ok(amount @ 1..=LARGEST_AMOUNT) => Ok(Some(amount)),
            Ok(0) | Err(_) => Err(no_amount(name)),
            Ok(_) => Err(Refusal::invalid("Amount must be no more than 999,999.99")
                .code("amount_too_large")
                .parameter(name)),
        }
    }

    fn take_page(&mut self) -> Result<usize, Refusal> {
        let Some(text) = self.take("limit") else {
            return Ok(USUAL_PAGE);
        };
        match text.parse::<usize>() {
            Ok(limit @ 1..=LARGEST_PAGE) => Ok(limit),
            _ => Err(no_amount("limit")),
        }
    }

    /// Everything that is called `name[…]`, by what stands between the brackets.
    fn take_map(&mut self, name: &str) -> Map<String, Value> {
        let mut taken = Map::new();
        self.0.retain(|(sent, value)| {
            let member = sent
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            if let Some(member) = member {
                taken.insert(member.to_owned(), Value::String(value.clone()));
            }
            member.is_none()
        });
        taken
    }

    /// Nothing may be left when all that is known was taken.
    fn end(self) -> Result<(), Refusal> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::invalid(&format!(
                "Received unknown parameter: {name}"
            ))
            .code("parameter_unknown")
            .parameter(name)),
        }
    }
}

/// A request that makes sense.
#[derive(Debug)]
pub(super) enum Command {
    Create {
        amount: u64,
        currency: String,
        method: Option<String>,
        metadata: Map<String, Value>,
    },
    Read {
        intent: String,
    },
    Confirm {
        intent: String,
        method: Option<String>,
    },
    Cancel {
        intent: String,
    },
    Refund {
        intent: String,
        amount: Option<u64>,
        metadata: Map<String, Value>,
    },
    Refunds {
        intent: Option<String>,
        limit: usize,
        starting_after: Option<String>,
    },
}

impl Command {
    /// What was asked for. A no at this point is not kept under an idempotency key, since nothing has
    /// begun.
    pub(super) fn read(asked: &Asked) -> Result<Self, Refusal> {
        let mut sent = asked.parameters.clone();
        let command = match &asked.target {
            Target::Create => {
                // Cards are all there is.
                sent.take_map("payment_method_types");
                Self::Create {
                    amount: sent
                        .take_amount("amount")?
                        .ok_or_else(|| missing("amount"))?,
                    currency: currency(sent.take_required("currency")?)?,
                    method: sent.take("payment_method"),
                    metadata: sent.take_map("metadata"),
                }
            }
            Target::Read(intent) => Self::Read {
                intent: intent.clone(),
            },
            Target::Confirm(intent) => Self::Confirm {
                intent: intent.clone(),
                method: sent.take("payment_method"),
            },
            Target::Cancel(intent) => Self::Cancel {
                intent: intent.clone(),
            },
            Target::Refund => Self::Refund {
                intent: sent.take_required("payment_intent")?,
                amount: sent.take_amount("amount")?,
                metadata: sent.take_map("metadata"),
            },
            Target::Refunds => Self::Refunds {
                intent: sent.take("payment_intent"),
                limit: sent.take_page()?,
                starting_after: sent.take("starting_after"),
            },
        };
        sent.end()?;
        Ok(command)
    }
}

fn currency(text: String) -> Result<String, Refusal> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(text)
    } else {
        Err(Refusal::invalid(&format!("Invalid currency: {text}")).parameter("currency"))
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::invalid(&format!("Missing required param: {name}."))
        .code("parameter_missing")
        .parameter(name)
}

fn no_amount(name: &str) -> Refusal {
    Refusal::invalid("This value must be a whole number greater than or equal to 1.")
        .code("parameter_invalid_integer")
        .parameter(name)
}
