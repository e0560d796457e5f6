//! [Idempotency keys](https://docs.stripe.com/api/idempotent_requests): the first answer is the answer,
//! also if it was a failure.

use std::collections::HashMap;

use super::{
    answer::{Answer, Refusal},
    request::Asked,
};

/// The keys that were used, for ever.
#[derive(Default)]
pub(super) struct Keys(HashMap<String, Used>);

struct Used {
    asked: Asked,
    /// None while the first request is at work.
    answer: Option<Answer>,
}

impl Keys {
    /// The answer that the key has already got. None if this is its first request, which then has to
    /// [`end`](Self::end).
    pub(super) fn begin(&mut self, key: &str, asked: &Asked) -> Result<Option<Answer>, Refusal> {
        match self.0.get(key) {
            None => {
                let first = Used {
                    asked: asked.clone(),
                    answer: None,
                };
                self.0.insert(key.to_owned(), first);
                Ok(None)
            }
            Some(used) if used.asked != *asked => Err(Refusal::key_reused()),
            Some(Used { answer: None, .. }) => Err(Refusal::key_in_use()),
            Some(Used { answer, .. }) => Ok(answer.clone()),
        }
    }

    /// Keeps the answer to the key's first request.
    pub(super) fn end(&mut self, key: &str, answer: &Answer) {
        let used = self.0.get_mut(key).expect("a key that was begun");
        used.answer = Some(answer.clone());
    }
}
