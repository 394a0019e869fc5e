//! What PostgreSQL does to its roles, and to whom it refuses that.
//!
//! What it deliberately does not do: know who owns what (administrators own everything), `ADMIN
//! OPTION`, or PostgreSQL 16's rule that `CREATEROLE` reaches only roles that one has made: as in 15 and
//! before, it reaches all but superusers.
//!
//! Source: `src/backend/commands/user.c` and `aclchk.c` of PostgreSQL 15, for the order of the checks.

use super::date::{Date, date};
use super::privilege::{Unfit, named};
use super::statement::Statement;
use super::user::{Acting, Options, User, Users, Validity};
use super::{Engine, Refused};

/// Does to the roles what a statement of `by` says.
pub(super) fn change(users: &mut Users, by: &Acting, statement: &Statement) -> Result<(), Refused> {
    let acting = users.acting(by);
    let is_superuser = acting.is_some_and(|user| user.is_superuser);
    let rules = is_superuser || acting.is_some_and(|user| user.creates_roles);
    match statement {
        Statement::Create { user, options, exists_ok: _ } => {
            sound(options)?;
            allowed(if options.superuser == Some(true) { is_superuser } else { rules })?;
            if user.starts_with("pg_") {
                return Err(("refused", "42939", format!("role name \"{user}\" is reserved")));
            }
            if users.all.contains_key(user) {
                return Err(("exists", "42710", format!("role \"{user}\" already exists")));
            }
            let mut created = User::default();
            take(&mut created, options)?;
            users.add(user, created);
            options.roles.iter().try_for_each(|role| join(users, by, role, user))
        }
        Statement::Alter { user, options, missing_ok: _ } => {
            sound(options)?;
            let name = user.as_deref().unwrap_or(&by.name);
            let target = users.all.get(name).ok_or_else(|| missing(name))?;
            let is_self = users.acting(by).is_some_and(|acting| acting.id == target.id);
            let only_password =
                Options { password: options.password.clone(), ..Options::default() } == *options;
            allowed(if target.is_superuser || options.superuser.is_some() {
                is_superuser
            } else {
                rules || is_self && only_password && options.password.is_some()
            })?;
            take(users.all.get_mut(name).expect("just looked up"), options)
        }
        Statement::Drop { user, missing_ok } => {
            allowed(rules)?;
            let Some(target) = users.all.get(user) else {
                return if *missing_ok { Ok(()) } else { Err(missing(user)) };
            };
            if users.acting(by).is_some_and(|acting| acting.id == target.id) {
                return Err(("refused", "55006", "current user cannot be dropped".to_owned()));
            }
            allowed(is_superuser || !target.is_superuser)?;
            if !target.privileges.is_empty() {
                let why = format!("role \"{user}\" cannot be dropped because some objects depend on it");
                return Err(("refused", "2BP01", why));
            }
            users.all.remove(user);
            users.all.values_mut().for_each(|other| {
                other.roles.remove(user);
            });
            Ok(())
        }
        Statement::GrantRole { roles, to } => {
            all_there(users, to)?;
            for role in roles {
                may_admit(users, by, role)?;
                to.iter().try_for_each(|member| join(users, by, role, member))?;
            }
            Ok(())
        }
        Statement::RevokeRole { roles, from } => {
            all_there(users, from)?;
            for role in roles {
                may_admit(users, by, role)?;
                for member in from {
                    users.all.get_mut(member).expect("just looked up").roles.remove(role);
                }
            }
            Ok(())
        }
        Statement::Grant { privileges, on, to: whom, .. }
        | Statement::Revoke { privileges, on, from: whom } => {
            all_there(users, whom)?;
            let named = named(Engine::Postgres, on.kind, privileges).map_err(|unfit| match unfit {
                Unfit::Unknown => ("syntax", "42601", "unrecognized privilege type".to_owned()),
                Unfit::Misplaced => ("refused", "0LP01", format!("invalid privilege type for {on}")),
            })?;
            if !is_superuser {
                // Who has any right on it is only warned that he hands nothing on.
                let held = users.acting(by).map(|_| users.with_roles(&by.name)).unwrap_or_default();
                let has_some = held.iter().any(|name| users.all[*name].privileges.contains_key(on));
                return allowed(has_some);
            }
            for name in whom {
                let user = users.all.get_mut(name).expect("just looked up");
                let held = user.privileges.entry(on.clone()).or_default();
                match statement {
                    Statement::Grant { .. } => held.extend(&named),
                    _ => held.retain(|privilege| !named.contains(privilege)),
                }
                user.privileges.retain(|_, held| !held.is_empty());
            }
            Ok(())
        }
        Statement::RevokeAll { from } => {
            users.all.contains_key(from).then_some(()).ok_or_else(|| missing(from))?;
            allowed(is_superuser || has_role(users, by, from))?;
            // Who did not give a right takes none back, and is told nothing of it.
            if is_superuser {
                users.all.get_mut(from).expect("just looked up").privileges.clear();
            }
            Ok(())
        }
        Statement::Reassign { from, to } => {
            for name in [from, to] {
                users.all.contains_key(name).then_some(()).ok_or_else(|| missing(name))?;
                allowed(is_superuser || has_role(users, by, name))?;
            }
            Ok(())
        }
        Statement::Begin
        | Statement::Commit
        | Statement::Rollback
        | Statement::Nothing
        | Statement::Flush
        | Statement::Select(_)
        | Statement::Users(_)
        | Statement::Exists(..)
        | Statement::Terminate { .. }
        | Statement::Rename { .. }
        | Statement::SetPassword { .. }
        | Statement::ShowGrants { .. } => Ok(()),
    }
}

fn take(user: &mut User, options: &Options) -> Result<(), Refused> {
    let Options {
        password,
        login,
        superuser,
        createrole,
        valid_until,
        roles: _,
        tls: _,
        retain: _,
        locked: _,
        connections,
        names_plugin: _,
        says_more: _,
        is_redundant: _,
    } = options;
    if let Some(text) = valid_until {
        user.valid = match date(text) {
            Date::At(second) => Validity::Until(second),
            Date::Forever => Validity::Forever,
            Date::OutOfRange => {
                return Err(("refused", "22008", "date/time field value out of range".to_owned()));
            }
            Date::Nonsense => {
                return Err(("refused", "22007", "invalid input syntax for a timestamp".to_owned()));
            }
            Date::Unknown => {
                return Err(("Unsupported", "", format!("the world cannot read the date {text}")));
            }
        };
    }
    if let Some(password) = password {
        user.password.clone_from(password);
    }
    user.connections = connections.unwrap_or(user.connections);
    user.can_login = login.unwrap_or(user.can_login);
    user.is_superuser = superuser.unwrap_or(user.is_superuser);
    user.creates_roles = createrole.unwrap_or(user.creates_roles);
    Ok(())
}

/// Makes a role's member.
fn join(users: &mut Users, by: &Acting, role: &str, member: &str) -> Result<(), Refused> {
    may_admit(users, by, role)?;
    if users.with_roles(role).contains(member) {
        return Err(("refused", "0LP01", format!("role \"{role}\" is a member of role \"{member}\"")));
    }
    users.all.get_mut(member).expect("looked up before").roles.insert(role.to_owned());
    Ok(())
}

/// Only superusers make somebody else one, by way of membership.
fn may_admit(users: &Users, by: &Acting, role: &str) -> Result<(), Refused> {
    let target = users.all.get(role).ok_or_else(|| missing(role))?;
    let acting = users.acting(by);
    let is_superuser = acting.is_some_and(|user| user.is_superuser);
    let creates_roles = acting.is_some_and(|user| user.creates_roles);
    allowed(is_superuser || creates_roles && !target.is_superuser)
}

fn has_role(users: &Users, by: &Acting, role: &str) -> bool {
    users.acting(by).is_some() && users.with_roles(&by.name).contains(role)
}

fn all_there(users: &Users, names: &[String]) -> Result<(), Refused> {
    names.iter().find(|name| !users.all.contains_key(*name)).map_or(Ok(()), |name| Err(missing(name)))
}

fn sound(options: &Options) -> Result<(), Refused> {
    let refused = || ("syntax", "42601", "conflicting or redundant options".to_owned());
    (!options.is_redundant).then_some(()).ok_or_else(refused)
}

fn missing(name: &str) -> Refused {
    ("missing", "42704", format!("role \"{name}\" does not exist"))
}

fn allowed(is_so: bool) -> Result<(), Refused> {
    is_so.then_some(()).ok_or_else(|| ("denied", "42501", "permission denied".to_owned()))
}
