//! How parked events get onto the topic after all: from the items that they are still in.
//!
//! What is parked says where a record is and doesn't hold it. An item keeps its last event; publishing that one
//! again does no harm, since consumers know the events that they have handled. An event that a later one has taken
//! the place of is lost, as is a product's once that is sold, and `ops reconcile` finds what became of that, as far as
//! orders, stock and money go.

use aws_sdk_sns::types::MessageAttributeValue;
use oxcart_domain::{Event, EventId, Timestamp};

use crate::{
    cloud::Cloud,
    failure::{Explain as _, Failure, Outcome},
    message::Held,
    queues::Message,
    tables::Item,
};

/// How much earlier than its record arrived in the stream an event may say that it happened, in seconds: as long
/// as a function may run.
const EARLIER: i64 = 60;

impl Cloud {
    /// Publishes what a parked message stands for. Answers whether it could be, and what was done.
    pub(crate) async fn republish(
        &self,
        message: &Message,
        dry_run: bool,
    ) -> Outcome<(bool, String)> {
        match message.says().holds {
            Held::Record { table, key, event } => {
                self.republish_record(&table, &key, event, dry_run).await
            }
            Held::Batch {
                table,
                first,
                last,
                records,
            } => {
                let time = (first, last);
                self.republish_batch(&table, time, records, dry_run).await
            }
            Held::Event | Held::Order(_) | Held::Unknown => Ok((
                false,
                "says of no record where it is, and was left".to_owned(),
            )),
        }
    }

    async fn republish_record(
        &self,
        table: &str,
        key: &str,
        parked: Option<EventId>,
        dry_run: bool,
    ) -> Outcome<(bool, String)> {
        let left = |why: &str| Ok((false, format!("{why}, and was left")));
        let setting = self.setting_of(table)?;
        let Some(item) = self.event_in(&setting, key).await? else {
            return left("its item is gone");
        };
        match item.event() {
            None => left("its item holds no event that can be published, or no more"),
            Some(event) if parked != Some(event.id) => left("its item holds another event by now"),
            Some(event) if dry_run => {
                Ok((true, format!("{} would be published", event.event.kind())))
            }
            Some(event) => {
                self.publish(&event).await?;
                Ok((true, format!("{} was published", event.event.kind())))
            }
        }
    }

    /// Publishes the events of all items that changed while the batch's records were written: it says when they
    /// were, but not which they are.
    async fn republish_batch(
        &self,
        table: &str,
        (first, last): (Timestamp, Timestamp),
        records: u64,
        dry_run: bool,
    ) -> Outcome<(bool, String)> {
        let setting = self.setting_of(table)?;
        let mut events = Vec::new();
        let (first, last) = (first.plus_seconds(-EARLIER), last.plus_seconds(1));
        self.walk(&setting, |item| {
            events.extend(event_between(&item, first, last));
        })
        .await?;
        events.sort_by_key(|event| event.time);
        let count = events.len();
        if dry_run {
            return Ok((
                false,
                format!("{count} events would be published, and it left"),
            ));
        }
        for event in &events {
            self.publish(event).await?;
        }
        let what = format!(
            "{count} events of its time were published; whether its own {records} are all among them nobody can tell, \
             so it was left: drop it once `ops reconcile` has nothing to say"
        );
        Ok((false, what))
    }

    async fn publish(&self, event: &Event) -> Outcome {
        let kind = event.event.kind();
        let what = || format!("{kind} was not published");
        let text = serde_json::to_string(event).explain(what)?;
        let mut call = self
            .sns
            .publish()
            .topic_arn(self.setting("EVENTS_TOPIC_ARN")?)
            .message(text);
        for (name, value) in event.event.attributes() {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .explain(what)?;
            call = call.message_attributes(name, value);
        }
        let published = call.send().await;
        published
            .map(drop)
            .map_err(|error| Failure::of_call(&what(), &error))
    }

    /// The setting that names a table of this stack.
    fn setting_of(&self, table: &str) -> Outcome<String> {
        let mut settings = self.settings();
        let found = settings.find(|(name, value)| name.ends_with("_TABLE") && *value == table);
        let found = found.map(|(name, _)| name.to_owned());
        found.ok_or_else(|| Failure::new(format!("{table:?} is no table of this stack.")))
    }
}

fn event_between(item: &Item, first: Timestamp, last: Timestamp) -> Option<Event> {
    item.event()
        .filter(|event| (first..=last).contains(&event.time))
}
