//! The queues of what was given up: where they are, how their messages are looked at without taking them, and
//! how they are moved and deleted.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use aws_sdk_sqs::{
    error::ProvideErrorMetadata as _,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue,
        MessageSystemAttributeName, QueueAttributeName,
    },
};
use oxcart_domain::Timestamp;
use serde::Serialize;

use crate::{
    cloud::Cloud,
    failure::{Failure, Outcome},
    message, moment,
};

/// How long a message that is looked at is kept from others, unless it is put back earlier.
const HOLD: Duration = Duration::from_mins(2);
/// How many messages one call hands out.
const BATCH: usize = 10;
/// How many receives in a row may bring nothing but what was seen before, until a walk ends.
const IN_VAIN: u32 = 5;

/// What a queue's messages are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "holds")]
pub enum Holds {
    /// What the consumer of another queue could not handle.
    DeadLetters {
        /// That queue's URL.
        #[serde(skip)]
        source: String,
    },
    /// Orders whose saga gave up.
    ParkedOrders,
    /// Records whose events could not be published.
    ParkedEvents,
}

/// A queue of what was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its name, with the stack's.
    pub name: String,
    /// Its name without the stack's.
    #[serde(skip)]
    pub short_name: String,
    /// Where it is.
    #[serde(skip)]
    pub url: String,
    /// What its messages are.
    #[serde(flatten)]
    pub holds: Holds,
}

/// A message as it was looked at.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id, which a copy of it doesn't share.
    pub id: String,
    /// What it says. May hold an e-mail address.
    pub body: String,
    /// When it was sent to its queue.
    pub sent_at: Option<Timestamp>,
    /// How often it was handed out, to consumers and to operators.
    pub receives: u32,
    attributes: Option<HashMap<String, MessageAttributeValue>>,
    receipt: String,
}

/// What one walk through a queue has seen. SQS tells neither how many messages there are nor in which order they come,
/// and hands out a message again whose hold has run out.
#[derive(Debug, Default)]
pub struct Walk {
    seen: HashSet<String>,
    in_vain: u32,
}

/// What a receive means for a walk.
#[derive(Debug)]
enum Step {
    /// It brought messages that were not seen yet.
    New(Vec<Message>),
    /// It brought none, but others may be behind.
    Again,
    /// There are no more.
    Over,
}

impl Walk {
    fn step(&mut self, received: Vec<Message>) -> Step {
        if received.is_empty() {
            return Step::Over;
        }
        let new: Vec<Message> = received
            .into_iter()
            .filter(|message| self.seen.insert(message.id.clone()))
            .collect();
        if !new.is_empty() {
            self.in_vain = 0;
            return Step::New(new);
        }
        self.in_vain += 1;
        if self.in_vain < IN_VAIN {
            Step::Again
        } else {
            Step::Over
        }
    }
}

/// How many messages a queue has.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Depth {
    /// Those that can be had.
    pub messages: u64,
    /// Those that somebody looks at right now.
    pub in_flight: u64,
}

impl Cloud {
    /// All queues of what was given up, by name.
    ///
    /// # Errors
    /// When the settings lack one.
    pub fn queues(&self) -> Outcome<Vec<Queue>> {
        let mut queues = found_in(
            self.setting("STACK_NAME")?,
            |name| self.setting(name),
            self.settings(),
        )?;
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    /// The one that an operator means by `name`, with or without the stack's. None if there is none.
    ///
    /// # Errors
    /// As for [`queues`](Self::queues).
    pub fn find_queue(&self, name: &str) -> Outcome<Option<Queue>> {
        let mut queues = self.queues()?.into_iter();
        Ok(queues.find(|queue| queue.name == name || queue.short_name == name))
    }

    /// The one that an operator means by `name`, with or without the stack's.
    ///
    /// # Errors
    /// When there is none.
    pub fn queue(&self, name: &str) -> Outcome<Queue> {
        if let Some(queue) = self.find_queue(name)? {
            return Ok(queue);
        }
        let names = self.queues()?.into_iter().map(|queue| queue.name);
        let names: Vec<String> = names.collect();
        Err(
            Failure::new(format!("There is no queue {name} of what was given up."))
                .advice(format!("There are {}.", names.join(", "))),
        )
    }

    /// How many messages it has, as far as SQS knows at the moment.
    ///
    /// # Errors
    /// When SQS can't be asked.
    pub async fn depth(&self, queue: &Queue) -> Outcome<Depth> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Held,
        };
        let asked = self.sqs.get_queue_attributes().queue_url(&queue.url);
        let asked = asked.attribute_names(Visible).attribute_names(Held);
        let answer = asked.send().await.map_err(|error| {
            Failure::of_call(&format!("The queue {} was not counted", queue.name), &error)
        })?;
        let number = |name: &QueueAttributeName| {
            let number = answer.attributes().and_then(|found| found.get(name));
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Ok(Depth {
            messages: number(&Visible),
            in_flight: number(&Held),
        })
    }

    /// Receives some messages that the walk has not seen yet, at most ten, and keeps them from others for a while.
    /// None: there are no more.
    ///
    /// # Errors
    /// When SQS can't be asked.
    pub async fn hold_some(
        &self,
        queue: &Queue,
        at_most: usize,
        walk: &mut Walk,
    ) -> Outcome<Vec<Message>> {
        loop {
            let received = self.receive(queue, at_most).await?;
            match walk.step(received) {
                Step::New(messages) => return Ok(messages),
                Step::Again => {}
                Step::Over => return Ok(Vec::new()),
            }
        }
    }

    async fn receive(&self, queue: &Queue, at_most: usize) -> Outcome<Vec<Message>> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(&queue.url)
            .max_number_of_messages(at_most.clamp(1, BATCH).try_into().unwrap_or(1))
            // Asks all of the queue's servers, not some of them.
            .wait_time_seconds(1)
            .visibility_timeout(HOLD.as_secs().try_into().unwrap_or(120))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await;
        let received = received.map_err(|error| {
            Failure::of_call(&format!("The queue {} was not read", queue.name), &error)
        })?;
        let messages = received.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(read).collect())
    }

    /// Looks at the messages of a queue, at most so many, and puts them back at once. The oldest come first.
    ///
    /// # Errors
    /// When SQS can't be asked.
    pub async fn look(&self, queue: &Queue, at_most: usize) -> Outcome<Vec<Message>> {
        let (mut messages, mut walk) = (Vec::new(), Walk::default());
        let mut result = Ok(());
        while messages.len() < at_most {
            match self
                .hold_some(queue, at_most - messages.len(), &mut walk)
                .await
            {
                Ok(some) if some.is_empty() => break,
                Ok(some) => messages.extend(some),
                Err(failure) => {
                    result = Err(failure);
                    break;
                }
            }
        }
        self.put_back(queue, &messages).await;
        result?;
        messages.sort_by_key(|message| message.sent_at);
        Ok(messages)
    }

    /// Lets others have these messages again. What fails here comes back by itself, some minutes later.
    pub async fn put_back(&self, queue: &Queue, messages: &[Message]) {
        for batch in messages.chunks(BATCH) {
            let entries = batch.iter().enumerate().filter_map(|(position, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(position.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(0)
                    .build()
                    .ok()
            });
            let call = self.sqs.change_message_visibility_batch();
            let call = call
                .queue_url(&queue.url)
                .set_entries(Some(entries.collect()));
            let _ = call.send().await;
        }
    }

    /// Sends a copy of a message to another queue.
    ///
    /// # Errors
    /// When SQS doesn't take it.
    pub async fn send_on(&self, message: &Message, url: &str) -> Outcome {
        let call = self.sqs.send_message().queue_url(url);
        let call = call
            .message_body(&message.body)
            .set_message_attributes(message.attributes.clone());
        let what = format!("The message {} was not sent on", message.id);
        let sent = call.send().await;
        sent.map(drop)
            .map_err(|error| Failure::of_call(&what, &error))
    }

    /// Deletes a message for good.
    ///
    /// # Errors
    /// When SQS can't be asked.
    pub async fn delete(&self, queue: &Queue, message: &Message) -> Outcome {
        let call = self.sqs.delete_message().queue_url(&queue.url);
        let what = format!("The message {} was not deleted", message.id);
        let deleted = call.receipt_handle(&message.receipt).send().await;
        deleted
            .map(drop)
            .map_err(|error| Failure::of_call(&what, &error))
    }

    /// Has SQS move all messages of a queue to another one. Answers whether it can: the local cloud can't.
    ///
    /// # Errors
    /// When SQS can, and doesn't.
    pub async fn move_all(&self, queue: &Queue, url: &str) -> Outcome<bool> {
        let call = self.sqs.start_message_move_task();
        let started = call
            .source_arn(self.arn_of(&queue.url).await?)
            // Also of messages that were not put there by SQS itself.
            .destination_arn(self.arn_of(url).await?)
            .send()
            .await;
        match started {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .code()
                    .is_some_and(|code| code.ends_with("InvalidAction")) =>
            {
                Ok(false)
            }
            Err(error) => {
                let what = format!("The messages of {} were not moved", queue.name);
                Err(Failure::of_call(&what, &error))
            }
        }
    }

    /// How many messages the last move out of a queue has moved, and where it stands.
    ///
    /// # Errors
    /// When SQS can't be asked.
    pub async fn last_move(&self, queue: &Queue) -> Outcome<Option<(String, i64)>> {
        let call = self.sqs.list_message_move_tasks();
        let listed = call.source_arn(self.arn_of(&queue.url).await?).send().await;
        let listed = listed.map_err(|error| {
            Failure::of_call(
                &format!("The moves out of {} were not read", queue.name),
                &error,
            )
        })?;
        let last = listed.results.unwrap_or_default().into_iter().next();
        Ok(last.map(|last| {
            let moved = last.approximate_number_of_messages_moved;
            (last.status.unwrap_or_default(), moved)
        }))
    }

    async fn arn_of(&self, url: &str) -> Outcome<String> {
        let asked = self.sqs.get_queue_attributes().queue_url(url);
        let asked = asked.attribute_names(QueueAttributeName::QueueArn);
        let answer = asked.send().await.map_err(|error| {
            Failure::of_call(&format!("The queue {} was not found", name_of(url)), &error)
        })?;
        let arn = answer
            .attributes
            .unwrap_or_default()
            .remove(&QueueAttributeName::QueueArn);
        arn.ok_or_else(|| Failure::new(format!("The queue {} has no ARN.", name_of(url))))
    }
}

impl Message {
    /// What it says.
    #[must_use]
    pub fn says(&self) -> message::Says {
        message::Says::read(&self.body)
    }
}

/// The queues that the stack's outputs tell of: `…_DLQ_URL` beside `…_QUEUE_URL`, and the two that hold what is
/// parked.
fn found_in<'s>(
    stack: &str,
    setting: impl Fn(&str) -> Outcome<&'s str>,
    settings: impl Iterator<Item = (&'s str, &'s str)>,
) -> Outcome<Vec<Queue>> {
    let prefix = format!("{stack}-");
    let queue = |url: &str, holds| Queue {
        name: name_of(url).to_owned(),
        short_name: name_of(url).trim_start_matches(&prefix).to_owned(),
        url: url.to_owned(),
        holds,
    };
    let mut queues = vec![
        queue(setting("PARKED_ORDERS_QUEUE_URL")?, Holds::ParkedOrders),
        queue(setting("PARKED_EVENTS_QUEUE_URL")?, Holds::ParkedEvents),
    ];
    for (name, url) in settings {
        // The environment holds more than the stack's outputs.
        let ours = name_of(url).starts_with(&prefix);
        let Some(what) = name.strip_suffix("_DLQ_URL").filter(|_| ours) else {
            continue;
        };
        let source = setting(&format!("{what}_QUEUE_URL"))?.to_owned();
        queues.push(queue(url, Holds::DeadLetters { source }));
    }
    Ok(queues)
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn read(message: aws_sdk_sqs::types::Message) -> Option<Message> {
    use MessageSystemAttributeName::{ApproximateReceiveCount, SentTimestamp};
    let about = message.attributes.unwrap_or_default();
    let receives = about.get(&ApproximateReceiveCount);
    Some(Message {
        id: message.message_id?,
        body: message.body.unwrap_or_default(),
        sent_at: about
            .get(&SentTimestamp)
            .and_then(|at| moment::of_millis(at)),
        receives: receives.and_then(|count| count.parse().ok()).unwrap_or(0),
        attributes: message.message_attributes,
        receipt: message.receipt_handle?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SETTINGS: [(&str, &str); 5] = [
        (
            "PARKED_EVENTS_QUEUE_URL",
            "https://sqs/1/shop-events-parked",
        ),
        ("PARKED_ORDERS_QUEUE_URL", "https://sqs/1/shop-saga-parked"),
        ("REFUNDS_DLQ_URL", "https://sqs/1/shop-refunds-dlq"),
        ("REFUNDS_QUEUE_URL", "https://sqs/1/shop-refunds"),
        ("SOMEBODY_ELSES_DLQ_URL", "https://sqs/1/theirs"),
    ];

    #[test]
    fn the_queues_are_those_of_the_stacks_outputs() {
        let settings = BTreeMap::from(SETTINGS);
        let setting = |name: &str| {
            let found = settings.get(name).copied();
            found.ok_or_else(|| Failure::new(name))
        };
        let queues = found_in("shop", setting, SETTINGS.into_iter()).unwrap();

        let named: Vec<(&str, &Holds)> = queues
            .iter()
            .map(|queue| (&*queue.name, &queue.holds))
            .collect();
        let short = queues.iter().map(|queue| &*queue.short_name);
        assert_eq!(
            short.collect::<Vec<_>>(),
            ["saga-parked", "events-parked", "refunds-dlq"]
        );
        let source = "https://sqs/1/shop-refunds".to_owned();
        assert_eq!(
            named,
            [
                ("shop-saga-parked", &Holds::ParkedOrders),
                ("shop-events-parked", &Holds::ParkedEvents),
                ("shop-refunds-dlq", &Holds::DeadLetters { source }),
            ]
        );
    }
    fn received(ids: &[&str]) -> Vec<Message> {
        let message = |id: &&str| Message {
            id: (*id).to_owned(),
            body: String::new(),
            sent_at: None,
            receives: 1,
            attributes: None,
            receipt: String::new(),
        };
        ids.iter().map(message).collect()
    }

    #[test]
    fn a_walk_ends_where_nothing_comes_and_not_where_only_what_is_known_does() {
        let mut walk = Walk::default();
        assert!(matches!(walk.step(received(&["1", "2"])), Step::New(new) if new.len() == 2));
        for _ in 1..IN_VAIN {
            assert!(matches!(walk.step(received(&["2", "1"])), Step::Again));
        }
        // Something new was behind what is known after all.
        assert!(matches!(walk.step(received(&["1", "3"])), Step::New(new) if new.len() == 1));
        assert!(matches!(walk.step(received(&[])), Step::Over));
    }

    #[test]
    fn a_walk_that_only_meets_what_it_knows_ends() {
        let mut walk = Walk::default();
        walk.step(received(&["1"]));
        let again = (1..IN_VAIN).map(|_| walk.step(received(&["1"])));
        assert!(
            again
                .collect::<Vec<_>>()
                .iter()
                .all(|step| matches!(step, Step::Again))
        );
        assert!(matches!(walk.step(received(&["1"])), Step::Over));
    }
}
