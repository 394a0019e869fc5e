//! The two drivers: who calls the roles.
//!
//! Both run inside one madsim runtime on a fresh thread, so that madsim's interception of clock,
//! entropy and threads covers everything a role could touch. The *queue* driver calls roles as
//! plain functions. The *tasks* driver gives each node a madsim node and a task, to which inputs
//! travel over a channel: the shape that an async guest needs. Both give the same digest.
//!
//! Source: fresh thread per runtime, because std's hash seeds are per thread (madsim 0.2.34, `rand.rs`).

use futures_channel::{mpsc, oneshot};
use madsim::runtime::{Handle, NodeHandle};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tumbler_types::NodeId;
use tumbler_types::role::v1::{Effects, Input, Now, Role};

/// Executes roles. A panic comes back as its message.
pub trait NodeDriver {
    fn boot(&mut self, node: NodeId, role: Box<dyn Role>);
    async fn handle(&mut self, node: NodeId, now: Now, input: Input) -> Result<Effects, String>;
    /// Drops the role: nothing of this incarnation runs any more.
    fn crash(&mut self, node: NodeId);
}

/// Roles as plain calls in the engine's own task.
pub struct QueueDriver {
    roles: Vec<Option<Box<dyn Role>>>,
}

impl QueueDriver {
    pub fn new(nodes: u16) -> Self {
        QueueDriver { roles: std::iter::repeat_with(|| None).take(usize::from(nodes)).collect() }
    }
}

impl NodeDriver for QueueDriver {
    fn boot(&mut self, node: NodeId, role: Box<dyn Role>) {
        self.roles[usize::from(node.0)] = Some(role);
    }

    async fn handle(&mut self, node: NodeId, now: Now, input: Input) -> Result<Effects, String> {
        let role = self.roles[usize::from(node.0)].as_mut().expect("a running node has a role");
        guarded(role.as_mut(), now, input)
    }

    fn crash(&mut self, node: NodeId) {
        self.roles[usize::from(node.0)] = None;
    }
}

/// One madsim node and task per node of the world.
pub struct TaskDriver {
    nodes: Vec<NodeHandle>,
    inputs: Vec<Option<mpsc::UnboundedSender<Request>>>,
}

struct Request {
    now: Now,
    input: Input,
    reply: oneshot::Sender<Result<Effects, String>>,
}

impl TaskDriver {
    pub fn new(count: u16) -> Self {
        let handle = Handle::current();
        let nodes =
            (0..count).map(|index| handle.create_node().name(format!("node-{index}")).build()).collect();
        TaskDriver { nodes, inputs: std::iter::repeat_with(|| None).take(usize::from(count)).collect() }
    }
}

impl NodeDriver for TaskDriver {
    fn boot(&mut self, node: NodeId, mut role: Box<dyn Role>) {
        let (sender, mut receiver) = mpsc::unbounded::<Request>();
        let index = usize::from(node.0);
        self.inputs[index] = Some(sender);
        self.nodes[index].spawn(async move {
            use futures_util::StreamExt;
            while let Some(Request { now, input, reply }) = receiver.next().await {
                // The engine may have gone on without an answer only by ending the run.
                let _ = reply.send(guarded(role.as_mut(), now, input));
            }
        });
    }

    async fn handle(&mut self, node: NodeId, now: Now, input: Input) -> Result<Effects, String> {
        let (reply, answer) = oneshot::channel();
        let sender = self.inputs[usize::from(node.0)].as_ref().expect("a running node has a task");
        sender.unbounded_send(Request { now, input, reply }).expect("the task lives as long as its sender");
        answer.await.expect("a task answers each request")
    }

    /// Closing the channel ends the task; its role is dropped with it.
    fn crash(&mut self, node: NodeId) {
        self.inputs[usize::from(node.0)] = None;
    }
}

fn guarded(role: &mut dyn Role, now: Now, input: Input) -> Result<Effects, String> {
    catch_unwind(AssertUnwindSafe(|| role.handle(now, input))).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}
