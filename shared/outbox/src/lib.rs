//! The transactional outbox: a domain event travels inside the item that it is about.
//!
//! A write that others must hear of sets the attribute [`ATTRIBUTE`] in the same item, so state and
//! event can't disagree; the table's stream is the log from which `relay-events` publishes it. An
//! image of an item carries its last event along through later writes, so an event is new only when
//! its id differs from the one in the old image.

use aws_sdk_dynamodb::types::AttributeValue;
use oxcart_domain::{Event, EventId};
use oxcart_telemetry::TraceContext;
use serde_dynamo::Item;

/// The attribute that holds the event.
pub const ATTRIBUTE: &str = "outbox";

/// The event as the value of [`ATTRIBUTE`], stamped with the trace of the work in hand.
///
/// # Errors
/// When the event can't be written as an attribute, which no event of ours causes.
pub fn attribute(mut event: Event) -> Result<AttributeValue, serde_dynamo::Error> {
    event.traceparent = oxcart_telemetry::current().map(TraceContext::traceparent);
    serde_dynamo::to_attribute_value(event)
}

/// What a stream record has to publish.
#[derive(Debug)]
pub enum Outgoing {
    /// Nothing: no event, or one that an earlier record carried.
    Nothing,
    /// This event.
    Event(Box<Event>),
    /// Something in the place of an event that is none, and never will be.
    Malformed,
}

/// Reads what a change from `old` to `new` has to publish.
#[must_use]
pub fn outgoing(old: &Item, new: &Item) -> Outgoing {
    let Some(value) = new.get(ATTRIBUTE) else {
        return Outgoing::Nothing;
    };
    // Unchanged, event or not, is not news: a malformed one is told of once.
    if old.get(ATTRIBUTE) == Some(value) {
        return Outgoing::Nothing;
    }
    match serde_dynamo::from_attribute_value::<_, Event>(value.clone()) {
        Ok(event) if event_id(old) == Some(event.id) => Outgoing::Nothing,
        Ok(event) => Outgoing::Event(Box::new(event)),
        Err(_) => Outgoing::Malformed,
    }
}

/// The id of the event in an item's image, if it is one.
#[must_use]
pub fn event_id(image: &Item) -> Option<EventId> {
    serde_dynamo::from_attribute_value::<_, Event>(image.get(ATTRIBUTE)?.clone())
        .ok()
        .map(|event| event.id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use oxcart_domain::{CustomerId, DomainEvent, OrderId, Timestamp, order::RejectionReason};
    use serde_dynamo::AttributeValue as StreamValue;

    use super::*;

    fn event(order: &str) -> Event {
        let event = DomainEvent::OrderRejected {
            order_id: order.parse::<OrderId>().unwrap(),
            customer_id: "00000000-0000-0000-0000-000000000002"
                .parse::<CustomerId>()
                .unwrap(),
            reason: RejectionReason::OutOfStock,
        };
        Event::once(
            event,
            Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap(),
        )
    }

    fn image(event: &Event) -> Item {
        let value: StreamValue = serde_dynamo::to_attribute_value(event).unwrap();
        Item::from(HashMap::from([(ATTRIBUTE.to_owned(), value)]))
    }

    fn first() -> Event {
        event("00000000-0000-0000-0000-000000000001")
    }

    #[test]
    fn an_event_is_published_when_it_is_new_in_its_item() {
        assert!(
            matches!(outgoing(&Item::default(), &image(&first())), Outgoing::Event(event) if *event == first())
        );
    }

    #[test]
    fn an_event_that_a_later_write_carries_along_is_not_published_again() {
        let mut retraced = first();
        retraced.traceparent =
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());

        assert!(matches!(
            outgoing(&image(&first()), &image(&first())),
            Outgoing::Nothing
        ));
        assert!(matches!(
            outgoing(&image(&first()), &image(&retraced)),
            Outgoing::Nothing
        ));
    }

    #[test]
    fn the_next_event_of_an_item_is_published() {
        let second = event("00000000-0000-0000-0000-000000000009");
        assert!(
            matches!(outgoing(&image(&first()), &image(&second)), Outgoing::Event(event) if *event == second)
        );
    }

    #[test]
    fn something_that_is_no_event_is_told_of_once() {
        let poison = Item::from(HashMap::from([(
            ATTRIBUTE.to_owned(),
            StreamValue::S("?".to_owned()),
        )]));
        assert!(matches!(
            outgoing(&Item::default(), &poison),
            Outgoing::Malformed
        ));
        assert!(matches!(outgoing(&poison, &poison), Outgoing::Nothing));
    }
}
