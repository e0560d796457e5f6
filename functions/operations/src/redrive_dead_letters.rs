//! `POST /operations/queues/{queue}/redrive`: has what was given up tried again.

use std::time::Duration;

use futures::future::join_all;
use oxcart_domain::user::Role;
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, json, json_body};
use oxcart_operating::{
    Cloud, Outcome,
    message::Held,
    queues::{Message, Queue, Walk},
    redrive::Done,
};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::Instant;

use crate::{
    list_queues::{List, queue_of},
    refusal::refused,
};

/// How many messages one call redrives, and how long it looks for more: API Gateway waits for 30 seconds.
const AT_MOST: usize = 100;
const LONGEST: Duration = Duration::from_secs(18);

/// Which messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redrive {
    /// These, or else all that one pass finds. A slip that says `null` is not to mean all of them.
    #[serde(default, deserialize_with = "given")]
    message_ids: Option<MessageIds>,
}

fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<MessageIds>, D::Error> {
    MessageIds::deserialize(field).map(Some)
}

/// Ids of messages: 1 to 100 of them.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<MessageId>")]
struct MessageIds(Vec<MessageId>);

/// What SQS calls a message: 1 to 100 letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct MessageId(String);

#[derive(Debug, thiserror::Error)]
#[error("must be 1 to {AT_MOST} ids")]
struct InvalidMessageIds;

#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 100 letters, digits or hyphens")]
struct InvalidMessageId;

/// What became of one message.
#[derive(Debug, Serialize)]
struct Redriven {
    id: String,
    done: bool,
    says: String,
}

/// Answers what became of each message. Doing it again does no harm: consumers know the events that they have handled,
/// and sagas may always be resumed.
///
/// # Errors
/// 401; 403 for all but admins; 404 for a queue that there is not; 422 for ids that no message can have.
pub async fn handle(cloud: &Cloud, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_operate, &request)?;
    let queue = queue_of(cloud, &request)?;
    let Redrive { message_ids } = json_body(&request)?;
    let mut wanted = Wanted::new(message_ids);
    let tried = Box::pin(redrive(cloud, &queue, &mut wanted)).await;
    let mut items = tried.map_err(refused)?;
    items.extend(wanted.missing().map(|id| Redriven {
        id,
        done: false,
        says: "It is not there, or somebody else looks at it at this moment.".to_owned(),
    }));
    json(StatusCode::OK, &List { items })
}

/// Goes through the queue once. What was done is told even if the rest can't be read.
async fn redrive(cloud: &Cloud, queue: &Queue, wanted: &mut Wanted) -> Outcome<Vec<Redriven>> {
    let began = Instant::now();
    let (mut done, mut kept, mut walk) = (Vec::new(), Vec::new(), Walk::default());
    let mut result = Ok(());
    while wanted.more(done.len()) && began.elapsed() < LONGEST {
        let some = match cloud
            .hold_some(queue, AT_MOST - done.len(), &mut walk)
            .await
        {
            Ok(some) if some.is_empty() => break,
            Ok(some) => some,
            Err(failure) => {
                result = Err(failure);
                break;
            }
        };
        let (meant, others): (Vec<_>, Vec<_>) = some
            .into_iter()
            .partition(|message| wanted.takes(&message.id));
        kept.extend(others);
        let tried = join_all(meant.iter().map(|message| again(cloud, queue, message))).await;
        for (message, tried) in meant.into_iter().zip(tried) {
            if !tried.gone {
                kept.push(message);
            }
            done.push(Redriven::from(tried));
        }
    }
    cloud.put_back(queue, &kept).await;
    match result {
        Err(failure) if done.is_empty() => Err(failure),
        _ => Ok(done),
    }
}

async fn again(cloud: &Cloud, queue: &Queue, message: &Message) -> Done {
    // It says when its records were written, and not which they are: for that a whole table has to be read, for
    // which nobody waits here.
    if matches!(message.says().holds, Held::Batch { .. }) {
        let says =
            "stands for many records, and was left: `cargo xtask ops dlq redrive` looks for them";
        return Done::to(message, false, says);
    }
    cloud.redrive(queue, message, false).await
}

impl From<Done> for Redriven {
    fn from(done: Done) -> Self {
        Self {
            id: done.id,
            done: done.gone,
            says: done.what,
        }
    }
}

/// The messages that are still looked for: some, or whatever comes.
#[derive(Debug)]
struct Wanted(Option<Vec<String>>);

impl Wanted {
    fn new(ids: Option<MessageIds>) -> Self {
        Self(ids.map(|MessageIds(ids)| ids.into_iter().map(|MessageId(id)| id).collect()))
    }

    /// Whether more are looked for after so many.
    fn more(&self, done: usize) -> bool {
        done < AT_MOST && self.0.as_ref().is_none_or(|ids| !ids.is_empty())
    }

    /// Whether this one is looked for. It is so once.
    fn takes(&mut self, id: &str) -> bool {
        let Some(ids) = &mut self.0 else {
            return true;
        };
        let before = ids.len();
        ids.retain(|wanted| wanted != id);
        ids.len() < before
    }

    /// Those that were not found.
    fn missing(self) -> impl Iterator<Item = String> {
        self.0.into_iter().flatten()
    }
}

impl TryFrom<Vec<MessageId>> for MessageIds {
    type Error = InvalidMessageIds;

    fn try_from(mut ids: Vec<MessageId>) -> Result<Self, Self::Error> {
        if !(1..=AT_MOST).contains(&ids.len()) {
            return Err(InvalidMessageIds);
        }
        ids.sort_by(|one, other| one.0.cmp(&other.0));
        ids.dedup();
        Ok(Self(ids))
    }
}

impl TryFrom<String> for MessageId {
    type Error = InvalidMessageId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=100).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        fits.then_some(Self(text)).ok_or(InvalidMessageId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Result<Wanted, String> {
        let asked: Result<Redrive, _> = serde_json::from_str(body);
        asked
            .map(|asked| Wanted::new(asked.message_ids))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn null_is_no_ids_and_does_not_mean_all() {
        assert!(asked(r#"{"message_ids":null}"#).is_err());
    }

    #[test]
    fn without_ids_whatever_comes_is_meant_up_to_a_hundred() {
        let mut wanted = asked("{}").unwrap();
        assert!(wanted.takes("m-1") && wanted.more(99) && !wanted.more(100));
        assert_eq!(wanted.missing().count(), 0);
    }

    #[test]
    fn ids_are_looked_for_until_all_are_found() {
        let mut wanted = asked(r#"{"message_ids": ["m-1", "m-2", "m-1"]}"#).unwrap();
        assert!(!wanted.takes("m-3"));
        assert!(wanted.takes("m-1") && wanted.more(1));
        assert_eq!(wanted.missing().collect::<Vec<_>>(), ["m-2"]);

        let mut wanted = asked(r#"{"message_ids": ["m-1"]}"#).unwrap();
        assert!(wanted.takes("m-1") && !wanted.more(1));
    }

    #[test]
    fn what_no_message_can_be_called_is_refused() {
        let many = serde_json::json!({"message_ids": vec!["m"; AT_MOST + 1]}).to_string();
        for wrong in [
            r#"{"message_ids": []}"#,
            r#"{"message_ids": [""]}"#,
            r#"{"message_ids": ["a b"]}"#,
            r#"{"ids": ["m-1"]}"#,
            &many,
        ] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }
}
