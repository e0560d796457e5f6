//! Every step of every state machine, and everything that can befall it: whatever does, the order ends as
//! it would have, and the books agree to the cent and the unit.
//!
//! The steps are those of the machines as they are deployed, so a new one is in here by itself. A step is
//! struck at each of its writes in turn, by the fault proxy, which stands between the functions and what
//! they call; the functions are those that ship.

mod errors;
mod table;
mod ways;

use std::{rc::Rc, time::Duration};

use futures::{FutureExt as _, future::LocalBoxFuture, future::join_all};
use oxcart_tests::{
    faults::{Action, Rule},
    machines::{Machine, Step},
    shop::Person,
    stack::Stack,
    workspace,
};
use tokio::{
    sync::Semaphore,
    task::{JoinError, LocalSet, spawn_local},
    time::{Instant, error::Elapsed, sleep, timeout},
};

use self::{
    table::Mark,
    ways::{Order, Way, ways_to},
};

/// How many orders are under way at once, besides those that mostly wait.
const AT_ONCE: usize = 6;
/// How many of those that mostly wait begin at once, and how long that takes.
const BEGIN_AT_ONCE: usize = 3;
const BEGINNING: Duration = Duration::from_secs(2);
/// How long one order may take. A saga that gives up takes half of it, a lease that runs out as well.
const DEADLINE: Duration = Duration::from_secs(140);
/// How long one may take whose message comes again, which it does when the saga has long given up.
const DEADLINE_REDELIVERED: Duration = Duration::from_secs(280);

/// How long a call hangs: longer than the clients of the functions wait for AWS, or for the gateway.
const HANG: Duration = Duration::from_secs(3);
const GATEWAY_HANG: Duration = Duration::from_secs(9);

/// What befalls a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It refuses, with an error that the state catches by name.
    Refusal,
    /// A write of it fails, and was not done.
    BeforeWrite,
    /// A write of it fails, and was done.
    AfterWrite,
    /// A write of it is done, and nothing is answered.
    Timeout,
    /// It is killed before a write.
    KilledBefore,
    /// It is killed after a write.
    KilledAfter,
    /// While it is at a write, it is run a second time, from start to end.
    Twice,
    /// It is run again when the order has ended.
    Late,
    /// It undoes something, and fails three times in a row.
    Failing,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::Refusal,
        Self::BeforeWrite,
        Self::AfterWrite,
        Self::Timeout,
        Self::KilledBefore,
        Self::KilledAfter,
        Self::Twice,
        Self::Late,
        Self::Failing,
    ];

    /// Those that strike a step at one of its writes.
    const AT_WRITES: [Self; 6] = [
        Self::BeforeWrite,
        Self::AfterWrite,
        Self::Timeout,
        Self::KilledBefore,
        Self::KilledAfter,
        Self::Twice,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Refusal => "refuses",
            Self::BeforeWrite => "error before",
            Self::AfterWrite => "error after",
            Self::Timeout => "timeout after",
            Self::KilledBefore => "killed before",
            Self::KilledAfter => "killed after",
            Self::Twice => "twice at once",
            Self::Late => "again late",
            Self::Failing => "undo fails ×3",
        }
    }

    /// What is done to a write, and how often. `call` is what the write asks for.
    fn strike(self, call: &str) -> (Action, usize) {
        let gateway = call.contains('/');
        let hang = if gateway { GATEWAY_HANG } else { HANG };
        match self {
            Self::BeforeWrite => (Action::Refuse, 1),
            Self::AfterWrite => (Action::LoseAnswer, 1),
            Self::Timeout => (Action::HangAfter(hang), 1),
            Self::KilledBefore => (Action::Kill, 1),
            Self::KilledAfter => (Action::KillAfter, 1),
            Self::Twice => (Action::Hold, 1),
            Self::Failing => (Action::Refuse, 3),
            Self::Refusal | Self::Late => (Action::Watch, 1000),
        }
    }
}

/// What all orders share.
struct Bench {
    stack: Stack,
    buyer: Person,
    machines: Vec<Machine>,
    /// For orders that are under way.
    turns: Semaphore,
    /// For orders that begin, and then mostly wait.
    beginnings: Semaphore,
}

/// A step, and a way to it.
struct Row {
    machine: Machine,
    step: Step,
    way: Way,
    /// Whether it is the first way to that step.
    first: bool,
    undoes: bool,
}

/// What came of one order.
struct Cell {
    row: usize,
    fault: Fault,
    /// Where the step was struck.
    place: String,
    outcome: Result<Vec<String>, String>,
}

#[tokio::test]
async fn every_order_ends_well_whatever_befalls_which_step() {
    LocalSet::new().run_until(matrix().boxed_local()).await;
}

async fn matrix() {
    let began = Instant::now();
    let bench = Rc::new(Bench::new().await);
    // Some orders get to where they are struck after hours of retries.
    assert!(
        bench.stack.setting_if_any("STATE_MACHINE_WAITS").is_some(),
        "only a stack of cargo xtask test retries soon enough for this test"
    );
    let rows: Vec<Rc<Row>> = rows_of(&bench).into_iter().map(Rc::new).collect();
    let all = rows
        .iter()
        .enumerate()
        .map(|(number, row)| cells_of(Rc::clone(&bench), Rc::clone(row), number));
    let mut cells: Vec<Cell> = join_all(all).await.into_iter().flatten().collect();

    check_figures(&bench, &mut cells).await;
    let failures: Vec<String> = cells
        .iter()
        .filter_map(|cell| {
            let failure = cell.outcome.as_ref().err()?;
            let (row, title) = (&rows[cell.row], cell.fault.title());
            Some(format!(
                "{} | {title} | {}: {failure}",
                row.name(),
                cell.place
            ))
        })
        .collect();
    let remark = format!("{} orders in {} s", cells.len(), began.elapsed().as_secs());
    table::show(&drawn(&rows, &cells), &remark);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

impl Bench {
    async fn new() -> Self {
        let stack = Stack::connect().await;
        let buyer = stack.customers(1).await.remove(0);
        let machines = stack.machines().await;
        let files = workspace::files("statemachines", "json").len();
        assert_eq!(machines.len(), files, "each machine is deployed");
        Self {
            stack,
            buyer,
            machines,
            turns: Semaphore::new(AT_ONCE),
            beginnings: Semaphore::new(BEGIN_AT_ONCE),
        }
    }

    fn machine(&self, name: &str) -> &Machine {
        let mut machines = self.machines.iter();
        let found = machines.find(|machine| machine.name == name);
        found.unwrap_or_else(|| panic!("no machine {name}"))
    }
}

impl Row {
    fn name(&self) -> String {
        let (machine, state) = (&self.machine.name, &self.step.state);
        format!("{machine} {state} ({:?})", self.way)
    }

    /// Whether its orders mostly wait: for a saga to give up, or for a lease to run out that an
    /// interrupted refund has left.
    fn is_patient(&self) -> bool {
        matches!(self.way, Way::Parked | Way::Redelivered) || self.step.function == "refund-payment"
    }
}

/// All steps of all machines, with all ways to each.
fn rows_of(bench: &Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for machine in &bench.machines {
        let undoing = machine.from_here_on("AbandonOrder");
        for step in machine.steps(&bench.stack) {
            // A machine that doesn't abandon orders undoes what is abandoned.
            let undoes = undoing.is_empty() || undoing.contains(&step.state);
            let express = bench.stack.is_express();
            let ways = ways_to(&machine.name, &step.state, undoes, express);
            rows.extend(ways.iter().enumerate().map(|(number, way)| Row {
                machine: machine.clone(),
                step: step.clone(),
                way: *way,
                first: number == 0,
                undoes,
            }));
        }
    }
    assert!(!rows.is_empty(), "no machine has a step");
    rows
}

/// Fills a row.
async fn cells_of(bench: Rc<Bench>, row: Rc<Row>, number: usize) -> Vec<Cell> {
    let refusals = refusals(&bench, &row, number).boxed_local();
    let others = async {
        if row.way == Way::Parked {
            // It takes an order more than a minute to get there, so its only write is not looked up first.
            let expected = ["UpdateItem".to_owned()];
            let struck = struck(&bench, &row, number, &expected).boxed_local();
            let undisturbed = undisturbed(&bench, &row, number).boxed_local();
            let ((mut late, writes), mut cells) = tokio::join!(undisturbed, struck);
            if late.outcome.is_ok() && writes != expected {
                late.outcome = Err(format!("it writes {writes:?}, and not {expected:?}"));
            }
            cells.push(late);
            cells
        } else {
            let (late, writes) = undisturbed(&bench, &row, number).boxed_local().await;
            let mut cells = struck(&bench, &row, number, &writes).boxed_local().await;
            cells.push(late);
            cells
        }
    };
    let (mut cells, refusals) = tokio::join!(others.boxed_local(), refusals);
    cells.extend(refusals);
    cells
}

/// The orders that meet the errors which the state catches by name.
async fn refusals(bench: &Rc<Bench>, row: &Row, number: usize) -> Vec<Cell> {
    if !row.first {
        return Vec::new();
    }
    let all = row.step.catches.iter().map(async |error| {
        let (machine, state) = (row.machine.clone(), row.step.state.clone());
        let order = errors::provoke(Rc::clone(bench), machine, state, error.clone());
        Cell {
            row: number,
            fault: Fault::Refusal,
            place: error.clone(),
            outcome: seen_through(bench, row, order).await,
        }
    });
    join_all(all).await
}

/// An order that nothing befalls until it has ended, and what the step writes for it. Then the step is run
/// again.
async fn undisturbed(bench: &Rc<Bench>, row: &Rc<Row>, number: usize) -> (Cell, Vec<String>) {
    let (shared, at) = (Rc::clone(bench), Rc::clone(row));
    let order = async move {
        let order = Order::new(&shared, &at.machine, at.way).await;
        let function = &at.step.function;
        let (action, times) = Fault::Late.strike("");
        let rule = Rule {
            times,
            ..Rule::write(function, &order.id, 0, action)
        };
        let armed = shared.stack.faults().arm(rule).await;
        order.run().await;
        assert_ended(&order, &at).await;
        let writes = armed.calls().await;
        armed.disarm().await;
        let payload = order.payload(&at.step.state).await;
        // It may answer or refuse, as long as it changes nothing that matters.
        shared.stack.invoke(function, &payload).await;
        (order, writes)
    };
    let found = admitted(bench, row, order.boxed_local()).await;
    let (outcome, writes) = match found {
        Ok((order, writes)) => (Ok(order.skus), writes),
        Err(failure) => (Err(failure), Vec::new()),
    };
    let cell = Cell {
        row: number,
        fault: Fault::Late,
        place: "when the order had ended".to_owned(),
        outcome,
    };
    (cell, writes)
}

/// The orders that something befalls at one of these writes.
async fn struck(bench: &Rc<Bench>, row: &Rc<Row>, number: usize, writes: &[String]) -> Vec<Cell> {
    // Whether a message that comes again finds something left to write is up to which run is quicker.
    let certain = match row.way {
        Way::Redelivered => writes.len().min(1),
        _ => writes.len(),
    };
    let writes = &writes[..certain];
    let at_writes = Fault::AT_WRITES
        .into_iter()
        .flat_map(|fault| writes.iter().enumerate().map(move |write| (fault, write)));
    let failing = writes.iter().enumerate().take(1);
    let failing = failing.map(|write| (Fault::Failing, write));
    let failing = failing.filter(|_| row.undoes);
    let all = at_writes.chain(failing).map(async |(fault, (skip, call))| {
        let (shared, at, call) = (Rc::clone(bench), Rc::clone(row), call.clone());
        let place = format!("write {} of {}, {call}", skip + 1, writes.len());
        let order = strike(shared, at, fault, skip, call).boxed_local();
        Cell {
            row: number,
            fault,
            place,
            outcome: seen_through(bench, row, order).await,
        }
    });
    join_all(all).await
}

/// Sends an order its way, strikes the step at its write after `skip` others, and sees the order through.
async fn strike(bench: Rc<Bench>, row: Rc<Row>, fault: Fault, skip: usize, call: String) -> Order {
    let order = Order::new(&bench, &row.machine, row.way).await;
    let Step {
        state, function, ..
    } = &row.step;
    let (action, times) = fault.strike(&call);
    let rule = Rule {
        times,
        ..Rule::write(function, &order.id, skip, action)
    };
    let armed = bench.stack.faults().arm(rule).await;
    if fault == Fault::Twice {
        let second = async {
            armed.wait_until_held().await;
            let payload = order.payload(state).await;
            // It may answer or refuse; the first one goes on either way.
            bench.stack.invoke(function, &payload).await;
            armed.release().await;
        };
        tokio::join!(order.run(), second.boxed_local());
    } else {
        order.run().await;
    }
    assert_ended(&order, &row).await;
    let hits = armed.disarm().await;
    assert_eq!(hits, times as u64, "how often the fault struck");
    order
}

/// The order has been at the step, and has ended as it does when nothing befalls it.
async fn assert_ended(order: &Order, row: &Row) {
    let state = &row.step.state;
    let visit = order.visit(state).await;
    assert!(visit.is_some(), "order {} was never at {state}", order.id);
    let stored = order.stored().await;
    assert_eq!(stored["status"], order.ending(), "{stored}, {visit:#?}");
}

async fn seen_through(
    bench: &Bench,
    row: &Row,
    order: LocalBoxFuture<'static, Order>,
) -> Result<Vec<String>, String> {
    let order = admitted(bench, row, order).await?;
    Ok(order.skus)
}

/// Lets an order begin when its turn comes. What makes it panic fails its own cell only.
async fn admitted<T: 'static>(
    bench: &Bench,
    row: &Row,
    order: LocalBoxFuture<'static, T>,
) -> Result<T, String> {
    let gate = if row.is_patient() {
        &bench.beginnings
    } else {
        &bench.turns
    };
    let turn = gate.acquire().await.expect("never closed");
    let deadline = row.way.deadline();
    let order = spawn_local(timeout(deadline, order));
    if row.is_patient() {
        sleep(BEGINNING).await;
        drop(turn);
        return outcome_of(order.await, deadline);
    }
    let outcome = order.await;
    drop(turn);
    outcome_of(outcome, deadline)
}

fn outcome_of<T>(
    order: Result<Result<T, Elapsed>, JoinError>,
    deadline: Duration,
) -> Result<T, String> {
    match order {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(format!("not done within {} s", deadline.as_secs())),
        Err(error) => Err(words_of(error)),
    }
}

fn words_of(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match panic.downcast::<String>() {
            Ok(words) => *words,
            Err(panic) => panic.downcast_ref::<&str>().map_or_else(
                || "a panic without words".to_owned(),
                |words| (*words).to_owned(),
            ),
        },
        Err(error) => error.to_string(),
    }
}

/// Compares the books for all orders that ended well, once everything has come to rest.
async fn check_figures(bench: &Bench, cells: &mut [Cell]) {
    let ended = cells.iter().filter_map(|cell| cell.outcome.as_ref().ok());
    let skus: Vec<String> = ended.flatten().cloned().collect();
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    let mut figures = bench.stack.figures(&skus).await;
    for _ in 0..20 {
        if skus.iter().all(|sku| figures.agree_about(sku)) {
            return;
        }
        sleep(Duration::from_secs(1)).await;
        figures = bench.stack.figures(&skus).await;
    }
    for cell in cells {
        if let Ok(skus) = &cell.outcome
            && let Some(sku) = skus.iter().find(|sku| !figures.agree_about(sku))
        {
            let why = format!("the books don't agree about {sku}; the panics above say where");
            cell.outcome = Err(why);
        }
    }
}

/// The table's rows.
fn drawn(rows: &[Rc<Row>], cells: &[Cell]) -> Vec<table::Row> {
    let mark = |number: usize, row: &Row, fault: Fault| {
        let mut found = cells
            .iter()
            .filter(|cell| cell.row == number && cell.fault == fault)
            .peekable();
        if found.peek().is_none() {
            return Mark::Missing(reason(number, row, fault, cells));
        }
        if found.all(|cell| cell.outcome.is_ok()) {
            Mark::Passed
        } else {
            Mark::Failed
        }
    };
    let row = |(number, row): (usize, &Rc<Row>)| table::Row {
        name: row.name(),
        marks: Fault::ALL
            .into_iter()
            .map(|fault| mark(number, row, fault))
            .collect(),
    };
    rows.iter().enumerate().map(row).collect()
}

/// Why a cell is empty: the position of the reason in the legend.
fn reason(number: usize, row: &Row, fault: Fault, cells: &[Cell]) -> usize {
    let undisturbed = cells
        .iter()
        .find(|cell| cell.row == number && cell.fault == Fault::Late);
    match fault {
        Fault::Refusal => 0,
        Fault::Failing if !row.undoes => 2,
        _ if undisturbed.is_some_and(|cell| cell.outcome.is_err()) => 3,
        _ => 1,
    }
}
