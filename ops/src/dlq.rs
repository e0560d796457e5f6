//! `ops dlq`: what was given up, and what to do about it. One module for each thing that can be done.

mod discard;
mod list;
mod redrive;
mod show;

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use oxcart_domain::Timestamp;
use oxcart_operating::{
    Cloud, Outcome,
    moment::{self, parse_length},
    queues::Message,
    redrive::Done,
};

use crate::console::{Cell, Console, Side, Table, Tone};

/// What can be done with dead letters and parked things.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Counts the messages of every queue of what was given up.
    List,
    /// Shows what a queue's messages say, and leaves them where they are.
    Show {
        /// The queue, as `list` names it.
        queue: String,
        /// How many messages to show.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Shows all of each message.
        #[arg(long)]
        body: bool,
    },
    /// Has what was given up tried again: dead letters go back to their queue, parked orders are resumed, parked
    /// events are published.
    ///
    /// Doing it twice does no harm: consumers know the events that they have handled.
    Redrive {
        /// The queue, as `list` names it.
        queue: String,
        #[command(flatten)]
        filter: Filter,
        /// Says what would be done, and does nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Deletes messages for good.
    Drop {
        /// The queue, as `list` names it.
        queue: String,
        /// The id of a message, as `show` tells it. Can be given more than once.
        #[arg(long = "id", required = true)]
        ids: Vec<String>,
        /// Says what would be done, and does nothing.
        #[arg(long)]
        dry_run: bool,
        /// Yes, for good.
        #[arg(long)]
        yes: bool,
    },
}

/// Which of a queue's messages are meant. All, if nothing is said.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filter {
    /// Those of this type, as `show` tells it.
    #[arg(long = "type")]
    kind: Option<String>,
    /// Those that were first sent so long ago: 90s, 10m, 2h, 3d.
    #[arg(long, value_parser = parse_length)]
    older_than: Option<Duration>,
    /// The one with this id. Can be given more than once.
    #[arg(long = "id")]
    ids: Vec<String>,
}

impl Filter {
    /// Whether it passes everything.
    fn is_empty(&self) -> bool {
        self.kind.is_none() && self.older_than.is_none() && self.ids.is_empty()
    }

    fn passes(&self, message: &Message, now: Timestamp) -> bool {
        let says = message.says();
        let age = message.sent_at.map(|sent| moment::between(sent, now));
        self.kind.as_ref().is_none_or(|kind| *kind == says.kind)
            && self
                .older_than
                .is_none_or(|least| age.is_some_and(|age| age >= least))
            && (self.ids.is_empty() || self.ids.contains(&message.id))
    }
}

/// Does it.
pub(crate) async fn run(cloud: &Cloud, console: Console, task: &Task) -> Outcome<ExitCode> {
    let now = moment::now()?;
    match task {
        Task::List => list::run(cloud, console, now).await,
        Task::Show { queue, limit, body } => {
            let queue = cloud.queue(queue)?;
            show::run(cloud, console, &queue, *limit, *body, now).await
        }
        Task::Redrive {
            queue,
            filter,
            dry_run,
        } => {
            let queue = cloud.queue(queue)?;
            redrive::run(cloud, console, &queue, filter, *dry_run, now).await
        }
        Task::Drop {
            queue,
            ids,
            dry_run,
            yes,
        } => {
            let queue = cloud.queue(queue)?;
            discard::run(cloud, console, &queue, ids, *dry_run, *yes).await
        }
    }
}

fn tell_done(console: Console, done: &[Done]) {
    let mut table = Table::new(&[
        ("message", Side::Left),
        ("type", Side::Left),
        ("about", Side::Left),
        ("", Side::Left),
    ]);
    for done in done {
        let tone = if done.gone { Tone::Plain } else { Tone::Odd };
        table.row([
            done.id.as_str().into(),
            done.kind.as_str().into(),
            done.about.as_str().into(),
            Cell::toned(tone, done.what.as_str()),
        ]);
    }
    if !done.is_empty() {
        console.table(&table);
    }
}
