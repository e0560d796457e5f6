//! What the person at the terminal sees: headings, one live line for long work, colour where it helps.
//! Knows nothing of the work itself.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::environment;

/// How often long work reports itself where no terminal can show a live line.
const PLAIN_REPORT: Duration = Duration::from_secs(20);

/// How a piece of text is set off from the rest.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    /// A heading.
    Strong,
    /// Of minor interest.
    Quiet,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

/// The terminal, or whatever stands in for it.
#[derive(Clone)]
pub(crate) struct Console {
    colour: bool,
    board: Arc<Board>,
}

/// The long-running work of this moment.
struct Board {
    live: bool,
    /// Whether another program has the terminal.
    lent: AtomicBool,
    running: Mutex<BTreeMap<usize, Running>>,
}

struct Running {
    name: String,
    detail: String,
    started: Instant,
    reported: Instant,
}

/// One piece of long-running work. It leaves the live line when it is dropped.
pub(crate) struct Task {
    console: Console,
    id: usize,
    started: Instant,
}

impl Console {
    /// The console of this process. Colour and the live line only go to a terminal.
    pub(crate) fn new() -> Self {
        let plain = environment::value("NO_COLOR").is_some();
        let board = Arc::new(Board {
            live: io::stderr().is_terminal(),
            lent: AtomicBool::new(false),
            running: Mutex::default(),
        });
        let ticking = Arc::clone(&board);
        // The thread ends with the process: it owns nothing that would have to be put away.
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(120));
                ticking.tick();
            }
        });
        Self {
            colour: io::stdout().is_terminal() && !plain,
            board,
        }
    }

    /// Prints one line.
    pub(crate) fn line(&self, text: &str) {
        let _running = self.board.clear();
        println!("{text}");
    }

    /// Prints an empty line and a heading.
    pub(crate) fn heading(&self, text: &str) {
        self.line(&format!("\n{}", self.paint(Tone::Strong, text)));
    }

    /// Prints what has just been achieved, and how long it took.
    pub(crate) fn done(&self, text: &str, took: Duration) {
        let took = self.paint(Tone::Quiet, &format!("({})", seconds(took)));
        self.line(&format!("  {text} {took}"));
    }

    /// Sets `text` off from the rest, where colour is shown.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => "1",
            Tone::Quiet => "2",
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Leaves the terminal to another program for as long as the answer is kept.
    pub(crate) fn leave_to_others(&self) -> Lent<'_> {
        drop(self.board.clear());
        self.board.lent.store(true, Ordering::SeqCst);
        Lent { board: &self.board }
    }

    /// Announces a piece of long-running work.
    pub(crate) fn task(&self, name: &str) -> Task {
        let now = Instant::now();
        let mut running = self.board.lock();
        let id = running.last_key_value().map_or(0, |(id, _)| id + 1);
        running.insert(
            id,
            Running {
                name: name.to_owned(),
                detail: String::new(),
                started: now,
                reported: now,
            },
        );
        Task {
            console: self.clone(),
            id,
            started: now,
        }
    }
}

/// The time in which another program has the terminal.
pub(crate) struct Lent<'a> {
    board: &'a Board,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.board.lent.store(false, Ordering::SeqCst);
    }
}

impl Task {
    /// Says how far the work is.
    pub(crate) fn at(&self, detail: &str) {
        if let Some(running) = self.console.board.lock().get_mut(&self.id) {
            detail.clone_into(&mut running.detail);
        }
    }

    /// Ends the work and says what was achieved.
    pub(crate) fn done(self, text: &str) {
        let took = self.started.elapsed();
        let console = self.console.clone();
        drop(self);
        console.done(text, took);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.console.board.clear().remove(&self.id);
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Running>> {
        // What is shown may be stale after another thread's panic, but is never wrong to show.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the live line off the terminal, so that something else can be printed there.
    fn clear(&self) -> MutexGuard<'_, BTreeMap<usize, Running>> {
        let running = self.lock();
        if self.live && !running.is_empty() {
            eprint!("\r\u{1b}[2K");
        }
        running
    }

    fn tick(&self) {
        let mut running = self.lock();
        if running.is_empty() || self.lent.load(Ordering::SeqCst) {
            return;
        }
        if self.live {
            let line: Vec<String> = running.values().map(Running::describe).collect();
            // A line that is longer than the terminal is wide is cut off there, and not continued below.
            eprint!("\r\u{1b}[2K\u{1b}[?7l  {}\u{1b}[?7h", line.join(" · "));
            let _ = io::stderr().flush();
        } else {
            for task in running.values_mut() {
                if task.reported.elapsed() >= PLAIN_REPORT {
                    task.reported = Instant::now();
                    eprintln!("  … {}", task.describe());
                }
            }
        }
    }
}

impl Running {
    fn describe(&self) -> String {
        let took = seconds(self.started.elapsed());
        if self.detail.is_empty() {
            format!("{}, {took}", self.name)
        } else {
            format!("{} {}, {took}", self.name, self.detail)
        }
    }
}

/// A length of time as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}
