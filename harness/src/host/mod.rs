//! Roles in processes of their own: `tumbler role-host`, and what speaks to it from inside a run.
//!
//! It exists so that an older build, or code in another language, can take part in a run at the
//! place where roles plug in. The protocol is `harness/PROTOCOL.md`; [`wire`] is its grammar,
//! [`serve`] the child's side and [`child`] the run's.
//!
//! What it deliberately does not do: sandbox the child. madsim's interception ends at the process, so
//! that a hosted role that asks its machine for the time or for entropy is found by what it changes:
//! a digest that differs between two runs.

pub mod child;
pub mod serve;
pub mod text;
pub mod wire;

pub use child::{ChildRole, Program};

use crate::exit::Failure;
use crate::identity;
use crate::roles;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use tumbler_plan::Plan;
use tumbler_types::{Build, NodeId, RoleKind};
use tumbler_world::RoleFactory;

/// Which roles run in children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hosted {
    All,
    Kind(RoleKind),
}

impl Hosted {
    fn takes(self, plan: &Plan, node: NodeId) -> bool {
        match self {
            Hosted::All => true,
            Hosted::Kind(hosted) => plan.topology.kind(node).is_some_and(|(kind, _)| kind == hosted),
        }
    }
}

/// `all`, or a role's name.
impl FromStr for Hosted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Hosted::All);
        }
        let kind = RoleKind::ALL.into_iter().find(|kind| kind.name() == text);
        kind.map(Hosted::Kind).ok_or_else(|| {
            let known: Vec<&str> = RoleKind::ALL.into_iter().map(RoleKind::name).collect();
            format!("expected all, {}", known.join(", "))
        })
    }
}

/// The factory, with the hosted roles in children of this program.
pub fn hosted(roles: Box<RoleFactory>, hosted: Option<Hosted>) -> Result<Box<RoleFactory>, Failure> {
    let Some(hosted) = hosted else { return Ok(roles) };
    let program = Program { path: identity::executable()?, arguments: vec!["role-host".to_owned()] };
    Ok(Box::new(move |plan: &Plan, node: NodeId, build: Build| {
        if hosted.takes(plan, node) {
            roles::in_session(Box::new(ChildRole::new(&program, plan, node)), plan, node, build)
        } else {
            roles(plan, node, build)
        }
    }))
}
