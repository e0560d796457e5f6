//! The transactional outbox: a domain event travels inside the item that it is about.
//!
//! A write that others must hear of sets the attribute [`ATTRIBUTE`] in the same item, so state and
//! event can't disagree; the table's stream is the log from which `relay-events` publishes it. An
//! image of an item carries its last event along through later writes, so an event is new only when
//! its id differs from the one in the old image.
//!
//! What the item around it says anyway, the stored event doesn't repeat: items are paid for by the kilobyte.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use oxcart_domain::{Event, EventId};
use oxcart_telemetry::TraceContext;
use serde_dynamo::{AttributeValue as StreamValue, Item};

/// The attribute that holds the event.
pub const ATTRIBUTE: &str = "outbox";

/// What an event says, in its envelope.
const DATA: &str = "data";

/// Where the `data` of events stands in the items around them: by the event's type its fields, and the attributes
/// that the very write that tells of it sets to the same, or found to be so.
const IN_ITEM: [(&str, &[(&str, &str)]); 7] = [
    (
        "order.placed",
        &[
            ("order_id", "id"),
            ("customer_id", "customer_id"),
            ("lines", "lines"),
            ("payment_method", "payment_method"),
            ("expected_total", "expected_total"),
        ],
    ),
    (
        "order.confirmed",
        &[
            ("order_id", "id"),
            ("customer_id", "customer_id"),
            ("lines", "priced_lines"),
            ("total", "total"),
        ],
    ),
    ("order.cancellation-requested", &OF_ORDER),
    ("order.cancelled", &OF_ORDER),
    ("order.rejected", &OF_ORDER),
    (
        "stock.reserved",
        &[
            ("order_id", "order_id"),
            ("lines", "lines"),
            ("total", "total"),
        ],
    ),
    (
        "stock.released",
        &[("order_id", "order_id"), ("lines", "lines")],
    ),
];
const OF_ORDER: [(&str, &str); 2] = [("order_id", "id"), ("customer_id", "customer_id")];

fn in_item(kind: &str) -> &'static [(&'static str, &'static str)] {
    let known = IN_ITEM.iter().find(|(known, _)| *known == kind);
    known.map_or(&[], |(_, fields)| fields)
}

/// The attributes that have to be read of an item to know the event in it: [`ATTRIBUTE`], and those that it leaves to
/// the item.
#[must_use]
pub fn attributes() -> BTreeSet<&'static str> {
    let fields = IN_ITEM.iter().flat_map(|(_, fields)| fields.iter());
    let left_to_item = fields.map(|(_, attribute)| *attribute);
    left_to_item.chain([ATTRIBUTE]).collect()
}

/// The event as the value of [`ATTRIBUTE`], stamped with the trace of the work in hand. What follows from the rest
/// of it is left out, and what its item says.
///
/// # Errors
/// When the event can't be written as an attribute, which no event of ours causes.
pub fn attribute(mut event: Event) -> Result<AttributeValue, serde_dynamo::Error> {
    event.traceparent = oxcart_telemetry::current().map(TraceContext::traceparent);
    let kind = event.event.kind();
    let mut stored = serde_dynamo::to_attribute_value(event)?;
    if let AttributeValue::M(fields) = &mut stored {
        for name in Event::DERIVED {
            fields.remove(name);
        }
        if let Some(AttributeValue::M(data)) = fields.get_mut(DATA) {
            for (field, _) in in_item(kind) {
                data.remove(*field);
            }
        }
    }
    Ok(stored)
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
    match event(new) {
        Some(event) if event_id(old) == Some(event.id) => Outgoing::Nothing,
        Some(event) => Outgoing::Event(Box::new(event)),
        None => Outgoing::Malformed,
    }
}

/// The id of the event in an item's image, also of one that can't be read: then it may be by who knows it.
#[must_use]
pub fn event_id(image: &Item) -> Option<EventId> {
    match image.get(ATTRIBUTE)? {
        StreamValue::M(fields) => {
            serde_dynamo::from_attribute_value(fields.get("id")?.clone()).ok()
        }
        _ => None,
    }
}

/// The event in an item's image, whole, if there is one. All [`attributes`] of the item have to be in the image.
#[must_use]
pub fn event(image: &Item) -> Option<Event> {
    let mut stored = image.get(ATTRIBUTE)?.clone();
    if let StreamValue::M(fields) = &mut stored {
        complete(fields, image);
    }
    serde_dynamo::from_attribute_value(stored).ok()
}

/// Adds to what a stored event says what its item says.
fn complete(fields: &mut HashMap<String, StreamValue>, image: &Item) {
    let Some(StreamValue::S(kind)) = fields.get("type") else {
        return;
    };
    let left_out = in_item(kind);
    if let Some(StreamValue::M(data)) = fields.get_mut(DATA) {
        for (field, attribute) in left_out {
            if let Some(value) = image.get(*attribute) {
                data.entry((*field).to_owned())
                    .or_insert_with(|| value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use oxcart_domain::{CustomerId, DomainEvent, OrderId, Timestamp, order::RejectionReason};
    use serde_json::{Value, json};

    use super::*;

    fn rejected(order: &str) -> Event {
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
        rejected("00000000-0000-0000-0000-000000000001")
    }

    #[test]
    fn an_event_is_stored_without_what_follows_from_it_and_published_whole() {
        let event = whole(json!({"type": "user.erased", "data": {
            "user_id": "00000000-0000-0000-0000-000000000001",
        }}));
        let stored = attribute(event.clone()).unwrap();
        let fields = stored.as_m().unwrap();
        for name in Event::DERIVED {
            assert!(!fields.contains_key(name), "{name}");
        }
        assert_eq!(
            serde_dynamo::from_attribute_value::<_, Event>(stored).unwrap(),
            event
        );
    }

    fn whole(event: Value) -> Event {
        let event = serde_json::from_value(event).unwrap();
        Event::once(
            event,
            Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap(),
        )
    }

    /// The image of an item of these attributes that an event was stored in.
    fn image_with(event: &Event, attributes: &Value) -> Item {
        let mut image: Item = serde_dynamo::to_item(attributes).unwrap();
        let stored: Value =
            serde_dynamo::from_attribute_value(attribute(event.clone()).unwrap()).unwrap();
        image.insert(
            ATTRIBUTE.to_owned(),
            serde_dynamo::to_attribute_value(stored).unwrap(),
        );
        image
    }

    #[test]
    fn what_the_item_says_is_stored_once_and_published_in_the_event() {
        let id = "00000000-0000-0000-0000-000000000001";
        let customer = "00000000-0000-0000-0000-000000000002";
        let total = json!({"amount": 500, "currency": "EUR"});
        let lines = json!([{"sku": "tea", "quantity": 1}]);
        let priced = json!([{"sku": "tea", "quantity": 1, "unit_price": total}]);
        let order = json!({
            "id": id, "customer_id": customer, "lines": lines, "priced_lines": priced,
            "payment_method": "pm_1", "total": total,
        });
        let reservation = json!({"order_id": id, "lines": priced, "total": total});
        let told = |kind: &str, item: &Value, data: Value| {
            let event = whole(json!({"type": kind, "data": data}));
            let image = image_with(&event, item);
            let stored = image.get(ATTRIBUTE).unwrap().clone();
            let stored: Value = serde_dynamo::from_attribute_value(stored).unwrap();
            assert_eq!(stored[DATA], json!({}), "{kind}");
            assert!(
                matches!(outgoing(&Item::default(), &image), Outgoing::Event(told) if *told == event),
                "{kind}"
            );
        };
        told(
            "order.placed",
            &order,
            json!({
                "order_id": id, "customer_id": customer, "lines": lines,
                "payment_method": "pm_1", "expected_total": null,
            }),
        );
        told(
            "order.confirmed",
            &order,
            json!({"order_id": id, "customer_id": customer, "lines": priced, "total": total}),
        );
        for ended in ["order.cancellation-requested", "order.cancelled"] {
            told(
                ended,
                &order,
                json!({"order_id": id, "customer_id": customer}),
            );
        }
        told(
            "stock.reserved",
            &reservation,
            json!({"order_id": id, "lines": priced, "total": total}),
        );
        told(
            "stock.released",
            &reservation,
            json!({"order_id": id, "lines": priced}),
        );
    }

    #[test]
    fn an_event_whose_item_does_not_say_the_rest_of_it_is_none() {
        let event = whole(json!({"type": "stock.released", "data": {
            "order_id": "00000000-0000-0000-0000-000000000001", "lines": [],
        }}));
        let image = image_with(&event, &json!({"lines": []}));
        assert!(matches!(
            outgoing(&Item::default(), &image),
            Outgoing::Malformed
        ));
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
        let second = rejected("00000000-0000-0000-0000-000000000009");
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
