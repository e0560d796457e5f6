//! A listener of its own on the topic of domain events: a fresh queue that hears everything, and takes
//! nothing that isn't what its schema says.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    eventually::{PATIENCE, eventually},
    schemas::Schemas,
    stack::Stack,
};

/// A queue that is subscribed to the topic until it is closed.
pub struct Subscription<'s> {
    stack: &'s Stack,
    schemas: Schemas,
    queue_url: String,
    arn: String,
    heard: Vec<Value>,
}

impl<'s> Subscription<'s> {
    /// Listens from now on.
    pub async fn open(stack: &'s Stack) -> Self {
        let topic_arn = stack.setting("EVENTS_TOPIC_ARN");
        let queue = stack
            .sqs
            .create_queue()
            .queue_name(format!(
                "{}-listener-{}",
                stack.setting("STACK_NAME"),
                Uuid::new_v4()
            ))
            .send()
            .await
            .expect("the operator may create a queue");
        let queue_url = queue.queue_url().expect("a queue has a URL").to_owned();
        let attributes = stack
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .expect("the operator may look at a queue");
        let queue_arn =
            attributes.attributes().expect("attributes")[&QueueAttributeName::QueueArn].clone();
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }],
        });
        stack
            .sqs
            .set_queue_attributes()
            .queue_url(&queue_url)
            .attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await
            .expect("the operator may let the topic write");
        let subscription = stack
            .sns
            .subscribe()
            .topic_arn(topic_arn)
            .protocol("sqs")
            .endpoint(queue_arn)
            .attributes("RawMessageDelivery", "true")
            .return_subscription_arn(true)
            .send()
            .await
            .expect("the operator may subscribe");
        Self {
            stack,
            schemas: Schemas::load(),
            queue_url,
            arn: subscription.subscription_arn().expect("an ARN").to_owned(),
            heard: Vec::new(),
        }
    }

    /// Everything heard so far.
    pub fn heard(&self) -> &[Value] {
        &self.heard
    }

    /// What was heard about the subject so far, in the order of time: each event once, however often it
    /// was delivered.
    pub fn about(&self, subject: &str) -> Vec<Value> {
        about(&self.heard, subject)
    }

    /// Listens until all these types were heard about the subject, each as often as it is named, and
    /// answers everything that was said about it.
    pub async fn wait_for(&mut self, subject: &str, types: &[&str]) -> Vec<Value> {
        let heard = std::cell::RefCell::new(std::mem::take(&mut self.heard));
        let about = eventually(
            &format!("{types:?} about {subject}"),
            PATIENCE,
            async || {
                let news = self.receive().await;
                heard.borrow_mut().extend(news);
                let about = about(&heard.borrow(), subject);
                let count = |kind: &str| about.iter().filter(|event| event["type"] == kind).count();
                let wanted = |kind: &str| types.iter().filter(|wanted| **wanted == kind).count();
                let all = types.iter().all(|kind| count(kind) >= wanted(kind));
                if all {
                    Ok(about)
                } else {
                    Err(format!("{about:#?}"))
                }
            },
        )
        .await;
        self.heard = heard.into_inner();
        about
    }

    /// Stops listening.
    pub async fn close(self) {
        let Self {
            stack,
            queue_url,
            arn,
            ..
        } = self;
        stack
            .sns
            .unsubscribe()
            .subscription_arn(arn)
            .send()
            .await
            .expect("the operator may unsubscribe");
        stack
            .sqs
            .delete_queue()
            .queue_url(queue_url)
            .send()
            .await
            .expect("the operator may delete a queue");
    }

    /// The one way in for events: fails the test on one that isn't what its schema says, whichever test it
    /// is of.
    async fn receive(&self) -> Vec<Value> {
        let received = self
            .stack
            .sqs
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .send()
            .await
            .expect("the operator may receive");
        let mut events = Vec::new();
        for message in received.messages() {
            let event: Value =
                serde_json::from_str(message.body().unwrap_or_default()).expect("an event is JSON");
            let attribute = |name| {
                let attributes = message.message_attributes()?;
                attributes.get(name)?.string_value()
            };
            assert_eq!(
                attribute("type"),
                event["type"].as_str(),
                "filter policies see the event's type"
            );
            let has_waited = event["data"]["action_requested"] == true;
            assert_eq!(
                attribute("ends_wait"),
                has_waited.then_some("true"),
                "and whether a wait is over: {event}"
            );
            self.schemas.assert_valid(&event);
            events.push(event);
            self.stack
                .sqs
                .delete_message()
                .queue_url(&self.queue_url)
                .receipt_handle(message.receipt_handle().expect("a receipt"))
                .send()
                .await
                .expect("the operator may delete");
        }
        events
    }
}

fn about(heard: &[Value], subject: &str) -> Vec<Value> {
    let once: HashMap<&str, &Value> = heard
        .iter()
        .filter(|event| event["subject"] == subject)
        .map(|event| (event["id"].as_str().expect("an event has an id"), event))
        .collect();
    let mut about: Vec<Value> = once.into_values().cloned().collect();
    about.sort_by(|one, other| one["time"].as_str().cmp(&other["time"].as_str()));
    about
}
