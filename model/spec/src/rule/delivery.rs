//! What an agent may store, acknowledge and hand out.

use super::{Rules, demand, refuse};
use crate::invariant::Why;
use crate::ledger::{Holder, Report, Slice, Stored};
use tumbler_types::{Tag, VersionId, Wall};

impl Rules {
    /// May the agent's durable record become this? Only what was granted, and never back to what its
    /// own acknowledgement gave up.
    pub fn allow_store(&self, slice: &Slice, holder: &Holder, stored: Stored) -> Result<(), Why> {
        let Stored { version, serial, until } = stored;
        demand(
            serial <= slice.serial,
            format_args!("expected at most serial {}, got {serial}", slice.serial),
        )?;
        demand(
            serial >= holder.stored.serial,
            format_args!("expected at least serial {}, got {serial}", holder.stored.serial),
        )?;
        if version.0 == 0 {
            // A reply without a version: the one that it should hold was revoked.
            demand(until == Wall::ZERO, format_args!("expected no end for nothing, got {until}"))?;
            return demand(slice.serial.0 > 0, format_args!("nothing was revoked, and it stored nothing"));
        }
        let Some(grant) = holder.grant(version) else {
            return refuse(format_args!("{version} was never granted to it"));
        };
        // The authority's clock may have stepped between two grants, by at most 2ε.
        demand(
            until <= grant.until.plus(self.timing.epsilon.times(2)),
            format_args!("{version} was granted until {}, not {until}", grant.until),
        )?;
        demand(!grant.ended, format_args!("it acknowledged another version since it was granted {version}"))?;
        let known = slice.version(version).and_then(|each| each.revoked);
        demand(
            known.is_none_or(|revocation| revocation.serial > serial),
            format_args!("{version} is revoked by {serial}"),
        )
    }

    /// May the agent report this? Exactly its durable record.
    pub fn allow_report(&self, holder: &Holder, report: Report) -> Result<(), Why> {
        let durable = Report { version: holder.stored.version, serial: holder.stored.serial };
        demand(
            report == durable,
            format_args!(
                "expected a report of {} at {}, got {} at {}",
                durable.version, durable.serial, report.version, report.serial
            ),
        )
    }

    /// May the agent hand this out? Exactly its durable version; until when, invariants say.
    pub fn allow_hand_out(
        &self,
        slice: &Slice,
        holder: &Holder,
        version: VersionId,
        value: Tag,
    ) -> Result<(), Why> {
        demand(
            version.0 != 0 && version == holder.stored.version,
            format_args!("expected its durable {}, got {version}", holder.stored.version),
        )?;
        demand(
            slice.version(version).is_some_and(|each| each.value == value),
            format_args!("expected the value of {version}, got {value}"),
        )
    }
}
