//! Forwards ports to 127.0.0.1, which containers cannot reach.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

/// Forwards every connection to `port` of `address` to the same port of 127.0.0.1, as long as xtask runs.
///
/// # Errors
/// If the address is not this machine's, or the port is taken there.
pub(crate) fn to_loopback(address: IpAddr, port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((address, port))?;
    thread::spawn(move || {
        for outside in listener.incoming().flatten() {
            // Dropping `outside` closes the caller's connection.
            let Ok(inside) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                continue;
            };
            if let (Ok(outside_writer), Ok(inside_writer)) = (outside.try_clone(), inside.try_clone()) {
                thread::spawn(move || pump(outside, inside_writer));
                thread::spawn(move || pump(inside, outside_writer));
            }
        }
    });
    Ok(())
}

/// Copies one direction until it ends, then closes the other side.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    // Either side may disconnect at any time.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn bytes_pass_both_ways() {
        // 127.0.0.2 is another address of this machine, like the bridge.
        let inner = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = inner.local_addr().expect("bound").port();
        to_loopback(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), port).expect("the same port there");
        let server = thread::spawn(move || {
            let (mut stream, _) = inner.accept().expect("a caller");
            let mut asked = String::new();
            stream.read_to_string(&mut asked).expect("text");
            stream.write_all(asked.to_uppercase().as_bytes()).expect("the caller listens");
        });
        let mut caller = TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).expect("forwarded");
        caller.write_all(b"hello").expect("forwarded");
        caller.shutdown(Shutdown::Write).expect("an end");
        let mut answer = String::new();
        caller.read_to_string(&mut answer).expect("an answer");
        assert_eq!(answer, "HELLO");
        server.join().expect("no panic");
    }
}
