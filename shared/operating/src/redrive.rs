//! Has what was given up tried again, each kind in its own way. A message is deleted only once what it stands for is
//! done, so that what dies in between is done again.

use serde::Serialize;

use crate::{
    cloud::Cloud,
    failure::Outcome,
    message::Held,
    queues::{Holds, Message, Queue},
    resume::Resumption,
};

/// What became of one message.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// Its id.
    pub id: String,
    /// The event's type; else what kind of message it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub about: String,
    /// Whether the queue is rid of it.
    pub gone: bool,
    /// What was done, or why it was left.
    pub what: String,
}

impl Done {
    /// What became of this one.
    #[must_use]
    pub fn to(message: &Message, gone: bool, what: impl Into<String>) -> Self {
        let says = message.says();
        Self {
            id: message.id.clone(),
            kind: says.kind,
            about: says.about,
            gone,
            what: what.into(),
        }
    }
}

impl Cloud {
    /// Redrives one message. Whatever fails leaves it where it is.
    pub async fn redrive(&self, queue: &Queue, message: &Message, dry_run: bool) -> Done {
        let tried = match &queue.holds {
            Holds::DeadLetters { source } => send_back(self, message, source, dry_run).await,
            Holds::ParkedOrders => resume(self, message, dry_run).await,
            Holds::ParkedEvents => self.republish(message, dry_run).await,
        };
        let (succeeded, what) = tried.unwrap_or_else(|failure| (false, failure.to_string()));
        if !succeeded || dry_run {
            return Done::to(message, false, what);
        }
        match self.delete(queue, message).await {
            Ok(()) => Done::to(message, true, what),
            Err(failure) => Done::to(message, false, format!("{what}, but {failure}")),
        }
    }
}

async fn send_back(
    cloud: &Cloud,
    message: &Message,
    source: &str,
    dry_run: bool,
) -> Outcome<(bool, String)> {
    let name = source.rsplit('/').next().unwrap_or(source);
    if dry_run {
        return Ok((true, format!("would go back to {name}")));
    }
    cloud.send_on(message, source).await?;
    Ok((true, format!("went back to {name}")))
}

async fn resume(cloud: &Cloud, message: &Message, dry_run: bool) -> Outcome<(bool, String)> {
    let Held::Order(order) = message.says().holds else {
        return Ok((false, "names no order, and was left".to_owned()));
    };
    if dry_run {
        return Ok((true, "would be resumed".to_owned()));
    }
    Ok(match cloud.resume(order).await? {
        Resumption::Restarted => (true, "resumed".to_owned()),
        Resumption::Running => (true, "its saga is under way already".to_owned()),
        Resumption::NotOpen => (true, "it has ended already".to_owned()),
        // Whoever it is may do something else with it.
        Resumption::LeftToOthers => (
            false,
            "somebody else is at the order, and it was left".to_owned(),
        ),
    })
}
