//! The yardstick: madsim's own Endpoint, echoing.
//!
//! What a delivered message costs in the engine that we stand on, with nothing of ours around it: a
//! bench times this beside the whole world. It judges nothing and is no part of any run.

use madsim::net::Endpoint;
use madsim::runtime::Runtime;

/// Echoes `rounds` messages of `size` bytes between two madsim nodes; returns messages delivered.
/// The caller holds the watch.
pub fn echo(rounds: u32, size: usize) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "madsim wants a fresh thread per runtime, here too")]
    let run = std::thread::spawn(move || {
        Runtime::with_seed_and_config(0, madsim::Config::default()).block_on(pair(rounds, size))
    });
    run.join().expect("echoing does not panic")
}

async fn pair(rounds: u32, size: usize) -> u64 {
    let handle = madsim::runtime::Handle::current();
    let server = handle.create_node().name("server").ip("10.0.0.1".parse().expect("an address")).build();
    let client = handle.create_node().name("client").ip("10.0.0.2".parse().expect("an address")).build();
    let serving = server.spawn(async move {
        let endpoint = Endpoint::bind("10.0.0.1:1").await.expect("the port is free");
        let mut buffer = vec![0; size];
        for _ in 0..rounds {
            let (length, from) = endpoint.recv_from(1, &mut buffer).await.expect("a message arrives");
            endpoint.send_to(from, 2, &buffer[..length]).await.expect("the client listens");
        }
    });
    let asking = client.spawn(async move {
        let endpoint = Endpoint::bind("10.0.0.2:1").await.expect("the port is free");
        // The server may not have bound yet: give it a moment of virtual time.
        madsim::time::sleep(std::time::Duration::from_secs(1)).await;
        let (message, mut buffer) = (vec![7; size], vec![0; size]);
        for _ in 0..rounds {
            endpoint.send_to("10.0.0.1:1", 1, &message).await.expect("the server listens");
            endpoint.recv_from(2, &mut buffer).await.expect("the echo arrives");
        }
    });
    asking.await.expect("the client ends");
    serving.await.expect("the server ends");
    u64::from(rounds) * 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_echo_delivers_two_messages_per_round() {
        assert_eq!(super::echo(10, 64), 20);
    }
}
