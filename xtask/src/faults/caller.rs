//! Who is at the other end of a connection: which process, and which function it runs. Asks `/proc`, so
//! this works on Linux only, and so does the local stack.

use std::fs;
use std::net::{SocketAddr, SocketAddrV4};
use std::path::Path;

use crate::background;

/// The variable that tells a function its own deployed name.
const NAME: &[u8] = b"AWS_LAMBDA_FUNCTION_NAME=";

/// A process that runs a function.
#[derive(Clone)]
pub(super) struct Caller {
    pid: String,
    /// The function's deployed name.
    pub(super) function: String,
}

impl Caller {
    /// The function that has connected to us from `theirs`; none if it is no function, or gone.
    ///
    /// Fails where there is no `/proc` to ask.
    pub(super) fn find(ours: SocketAddr, theirs: SocketAddr) -> Result<Option<Self>, String> {
        let (SocketAddr::V4(ours), SocketAddr::V4(theirs)) = (ours, theirs) else {
            return Ok(None);
        };
        let sockets = fs::read_to_string("/proc/net/tcp").map_err(|error| {
            format!("callers can't be told without /proc, as on Linux: {error}")
        })?;
        let Some(inode) = inode_of(&sockets, theirs, ours) else {
            return Ok(None);
        };
        Ok(holder_of(&format!("socket:[{inode}]")).and_then(Self::in_process))
    }

    /// Kills the process, as Lambda may at any time.
    pub(super) fn kill(&self) {
        background::signal("KILL", &self.pid);
    }

    fn in_process(pid: String) -> Option<Self> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let function = function_in(&environment)?;
        Some(Self { pid, function })
    }
}

/// The socket that leads from `local` to `remote`, in the kernel's list.
fn inode_of(sockets: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<&str> {
    let (local, remote) = (spelt(local), spelt(remote));
    sockets.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let same = fields.next()? == local && fields.next()? == remote;
        // The state, both queues, the timer, the retransmissions, the owner and a timeout come before it.
        let inode = fields.nth(6)?;
        same.then_some(inode)
    })
}

/// An address as the kernel spells it: the bytes of the IP address turned around, and the port, in hexadecimal.
fn spelt(address: SocketAddrV4) -> String {
    let [first, second, third, fourth] = address.ip().octets();
    format!(
        "{fourth:02X}{third:02X}{second:02X}{first:02X}:{:04X}",
        address.port()
    )
}

/// The process that holds the socket.
fn holder_of(socket: &str) -> Option<String> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| {
        let pid = entry.file_name().into_string().ok()?;
        pid.bytes().all(|byte| byte.is_ascii_digit()).then_some(pid)
    });
    pids.find(|pid| holds(pid, socket))
}

fn holds(pid: &str, socket: &str) -> bool {
    // Those of others can't be looked into, and have no business here.
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    open.flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|leads| leads == Path::new(socket)))
}

fn function_in(environment: &[u8]) -> Option<String> {
    let mut variables = environment.split(|byte| *byte == 0);
    let name = variables.find_map(|variable| variable.strip_prefix(NAME))?;
    Some(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::{Caller, function_in, holder_of, inode_of};

    const SOCKETS: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 222 1
";

    #[test]
    fn the_socket_at_the_other_end_is_found() {
        let [theirs, ours] =
            ["127.0.0.1:50000", "127.0.0.1:8080"].map(|text| text.parse().unwrap());
        assert_eq!(inode_of(SOCKETS, theirs, ours), Some("222"));
        assert_eq!(inode_of(SOCKETS, ours, theirs), Some("111"));
        assert_eq!(inode_of(SOCKETS, ours, ours), None);
    }

    #[test]
    fn a_process_that_is_no_function_is_no_caller() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, theirs) = (listener.local_addr().unwrap(), client.local_addr().unwrap());

        assert!(Caller::find(ours, theirs).unwrap().is_none());

        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let (std::net::SocketAddr::V4(ours), std::net::SocketAddr::V4(theirs)) = (ours, theirs)
        else {
            panic!("of version 4")
        };
        let inode = inode_of(&sockets, theirs, ours).unwrap();
        let found = holder_of(&format!("socket:[{inode}]"));
        assert_eq!(found, Some(std::process::id().to_string()));
    }

    #[test]
    fn a_function_is_told_by_its_environment() {
        let environment = b"PATH=/bin\0AWS_LAMBDA_FUNCTION_NAME=oxcart-login\0HOME=/\0";
        assert_eq!(function_in(environment).as_deref(), Some("oxcart-login"));
        assert_eq!(function_in(b"PATH=/bin\0"), None);
    }
}
