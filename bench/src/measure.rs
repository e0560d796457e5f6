//! One start of one program, from its first instruction to its last invocation.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use serde_json::Value;

use crate::{
    certificates::Certificates,
    failure::Failure,
    process::Process,
    processors::Processors,
    programs::{Environment, Program},
    runtime_api::{Answer, RuntimeApi, Waiting},
    stand_in::StandIn,
    throttle::Throttle,
};

/// How long a program may take to start or to answer. Far more than any does, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);

/// What stays the same from one start to the next.
pub(crate) struct Bench<'a> {
    /// The functions' environment.
    pub(crate) environment: &'a Environment,
    /// What the stand-in proves itself with.
    pub(crate) certificates: &'a Certificates,
    /// Where the programs' logs go.
    pub(crate) logs: &'a Path,
    /// Which CPU the programs have; none: whichever the scheduler gives them.
    pub(crate) processors: Option<Processors>,
}

/// How much is measured of a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Invocations after the first.
    pub(crate) warm: usize,
    /// When to stop before there are so many.
    pub(crate) at_most: Duration,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Run {
    /// From the start of the process until it asked for its first event.
    pub(crate) init: Duration,
    /// From when the first event was handed out until all of its answer had come.
    pub(crate) first: Duration,
    /// The same for each event after it.
    pub(crate) warm: Vec<Duration>,
    /// What was called in the first invocation.
    pub(crate) calls: Vec<String>,
    /// The CPU time of the warm invocations, all together.
    pub(crate) cpu: Duration,
    /// The most memory that the process has had.
    pub(crate) memory_kb: u64,
}

impl Bench<'_> {
    /// Starts `program`, invokes it, and stops it. With a `throttle`, it is held back from the end of its init on.
    pub(crate) async fn run(
        &self,
        program: &Program,
        extent: Extent,
        throttle: Option<&Throttle>,
    ) -> Result<Run, Failure> {
        let mut running = self.start(program).await?;
        let event = Bytes::from(program.event.to_string());

        let waiting = running.ready("start").await?;
        let init = waiting.since - running.process.started;
        if let Some(throttle) = throttle {
            let held = throttle.hold(running.process.id(), program.memory_mb);
            held.map_err(Failure::machine("hold a program back"))?;
        }
        let first = running.hand_out(waiting, event.clone()).await?;

        let mut warm = Vec::with_capacity(extent.warm);
        let (cpu, begun) = (running.process.cpu(), Instant::now());
        while warm.len() < extent.warm && begun.elapsed() < extent.at_most {
            warm.push(running.invoke(event.clone()).await?.took);
        }
        Ok(Run {
            init,
            first: first.took,
            calls: first.calls,
            cpu: running.process.cpu().saturating_sub(cpu),
            memory_kb: running.process.peak_memory_kb(),
            warm,
        })
    }

    /// Starts `program`, with what stands in for the rest of the cloud.
    pub(crate) async fn start<'p>(&self, program: &'p Program) -> Result<Running<'p>, Failure> {
        let api = RuntimeApi::start().await?;
        let stand_in = StandIn::start(self.certificates, &program.play).await?;
        let start = || {
            Process::start(
                program,
                self.environment,
                self.certificates,
                api.address(),
                stand_in.address(),
                self.logs,
            )
        };
        let process = match &self.processors {
            Some(processors) => processors
                .there(start)
                .map_err(Failure::machine("choose a CPU"))??,
            None => start()?,
        };
        Ok(Running {
            program,
            process,
            api,
            stand_in,
            count: 0,
        })
    }
}

/// A program that runs until this is dropped.
pub(crate) struct Running<'a> {
    program: &'a Program,
    process: Process,
    api: RuntimeApi,
    stand_in: StandIn,
    count: usize,
}

/// What was seen of one invocation.
pub(crate) struct Invoked {
    /// From when the event was handed out until all of its answer had come.
    pub(crate) took: Duration,
    /// What was called of the stand-in.
    calls: Vec<String>,
    /// What was answered.
    pub(crate) answer: Value,
}

impl Running<'_> {
    /// Waits until it asks for an event, and hands it this one, which must be one that it takes its success path with.
    pub(crate) async fn invoke(&mut self, event: Bytes) -> Result<Invoked, Failure> {
        let waiting = self.ready("ask for its next event").await?;
        self.hand_out(waiting, event).await
    }

    async fn ready(&mut self, what: &'static str) -> Result<Waiting, Failure> {
        let ready = self.api.ready(LIMIT).await;
        ready.ok_or_else(|| self.silent(what))
    }

    async fn hand_out(&mut self, waiting: Waiting, event: Bytes) -> Result<Invoked, Failure> {
        self.count += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.count);
        self.stand_in.take_calls();
        let answered = self.api.invoke(waiting, id, event, LIMIT).await;
        let (handed_out, answer) = answered.ok_or_else(|| self.silent("answer"))?;
        let calls = self.stand_in.take_calls();
        match self.success(&answer) {
            Some(json) => Ok(Invoked {
                took: answer.at - handed_out,
                calls,
                answer: json,
            }),
            None => Err(Failure::Refused {
                program: self.program.name.clone(),
                answer: String::from_utf8_lossy(&answer.body).into_owned(),
                calls,
                log: self.process.log.display().to_string(),
            }),
        }
    }

    fn success(&self, answer: &Answer) -> Option<Value> {
        let json = serde_json::from_slice::<Value>(&answer.body).ok()?;
        let is_success =
            answer.kind == "response" && self.program.play.is_success(&self.program.event, &json);
        is_success.then_some(json)
    }

    fn silent(&self, what: &'static str) -> Failure {
        Failure::Silent {
            program: self.program.name.clone(),
            what,
            limit: LIMIT,
            log: self.process.log.display().to_string(),
        }
    }
}
