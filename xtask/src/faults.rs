//! The fault proxy: a process between the functions and what they call, the local cloud and the payment
//! stand-in. Faults are made here and not in the functions, so that what is tested is what ships.
//!
//! With no rule armed it passes on what it gets, byte for byte. Tests arm rules through its admin interface
//! (see [`admin`]); what a rule can do stands in [`rule`].

mod admin;
mod book;
mod caller;
mod exchange;
mod message;
mod rule;
mod service;

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use clap::Args;

use crate::failure::{Explain, Failure, Outcome};

use self::book::Book;
use self::exchange::Line;
use self::service::Service;

/// What a thread needs that serves one connection.
const STACK: usize = 256 * 1024;

/// The ports of the proxy, all of them of the loopback interface.
#[derive(Args)]
pub(crate) struct Ports {
    /// Where functions find the local cloud.
    #[arg(long)]
    pub(crate) cloud: u16,
    /// Where the local cloud is.
    #[arg(long)]
    pub(crate) cloud_itself: u16,
    /// Where functions find the payment gateway.
    #[arg(long)]
    pub(crate) gateway: u16,
    /// Where the payment stand-in is.
    #[arg(long)]
    pub(crate) gateway_itself: u16,
    /// Where rules are armed.
    #[arg(long)]
    pub(crate) admin: u16,
    /// Ends with whoever holds the other end of its standard input.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl Ports {
    /// The options that make a `fault-proxy` of these ports.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options: Vec<String> = [
            ("--cloud", self.cloud),
            ("--cloud-itself", self.cloud_itself),
            ("--gateway", self.gateway),
            ("--gateway-itself", self.gateway_itself),
            ("--admin", self.admin),
        ]
        .iter()
        .flat_map(|(name, port)| [(*name).to_owned(), port.to_string()])
        .collect();
        if self.until_stdin_closes {
            options.push("--until-stdin-closes".to_owned());
        }
        options
    }
}

/// Serves until the process is ended.
pub(crate) fn serve(ports: &Ports) -> Outcome {
    let book = Arc::new(Book::default());
    let cloud = Line::new(
        Service::Cloud,
        loopback(ports.cloud_itself),
        Arc::clone(&book),
    );
    let gateway = Line::new(
        Service::Gateway,
        loopback(ports.gateway_itself),
        Arc::clone(&book),
    );
    // All three listen before the first is served, so that a port that is taken ends the process.
    let listeners = [ports.cloud, ports.gateway, ports.admin].map(listen);
    let [for_cloud, for_gateway, for_admin] = listeners;
    let (for_cloud, for_gateway, for_admin) = (for_cloud?, for_gateway?, for_admin?);
    if ports.until_stdin_closes {
        thread::spawn(end_with_stdin);
    }
    thread::scope(|scope| {
        scope.spawn(|| accept(&for_cloud, move |client| exchange::relay(&cloud, client)));
        scope.spawn(|| {
            accept(&for_gateway, move |client| {
                exchange::relay(&gateway, client);
            });
        });
        accept(&for_admin, move |client| admin::answer(&book, client));
    });
    Err(Failure::new("The fault proxy stopped listening."))
}

/// Serves each connection in a thread of its own.
fn accept(listener: &TcpListener, serve: impl Fn(TcpStream) + Clone + Send + 'static) {
    for client in listener.incoming().flatten() {
        let serve = serve.clone();
        let thread = thread::Builder::new().stack_size(STACK);
        if let Err(error) = thread.spawn(move || serve(client)) {
            eprintln!("a connection was dropped: {error}");
        }
    }
}

fn listen(port: u16) -> Outcome<TcpListener> {
    TcpListener::bind(loopback(port)).explain(|| format!("Could not listen on port {port}"))
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn end_with_stdin() {
    let mut nothing = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut nothing);
    std::process::exit(0);
}
