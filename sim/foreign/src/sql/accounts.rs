//! What MySQL and MariaDB do to their accounts, and to whom they refuse that.
//!
//! Nothing of it is part of a transaction. Rights on everything are those that a session had when it
//! began; rights on a database or a table are looked up each time.
//!
//! What it deliberately does not do: hosts (an account is `'name'@'%'`), roles, columns, routines,
//! limits, or which databases and tables there are.
//!
//! Source: MariaDB 10.11, as it answers; MySQL 8.0's manual where the two differ.

use super::native::is_native;
use super::privilege::{Kind, OPTION, Object, Unfit, named};
use super::statement::Statement;
use super::user::{Acting, Options, Password, Retain, User, Users};
use super::{Engine, Refused};
use std::collections::BTreeSet;

/// Does to the accounts what a statement of `by` says.
pub(super) fn change(
    engine: Engine,
    users: &mut Users,
    by: &Acting,
    statement: &Statement,
) -> Result<(), Refused> {
    match statement {
        Statement::Create { user, options, exists_ok } => {
            creates(by)?;
            if engine == Engine::Mysql && user.chars().count() > MYSQL_NAME_MAX {
                let why = format!("String '{user}' is too long for user name (should be no longer than 32)");
                return Err(("refused", "1470", why));
            }
            if users.all.contains_key(user) {
                return if *exists_ok { Ok(()) } else { Err(failed("exists", "CREATE", user)) };
            }
            let mut created = User { can_login: true, ..User::default() };
            take(engine, &mut created, options)?;
            users.add(user, created);
            Ok(())
        }
        Statement::Alter { user, options, missing_ok } => {
            let name = user.as_deref().unwrap_or(&by.name);
            let only_password =
                Options { password: options.password.clone(), ..Options::default() } == *options;
            // MySQL lets everybody change his own password so; MariaDB only with SET PASSWORD.
            let is_own = engine == Engine::Mysql && name == by.name && only_password;
            if !is_own {
                creates(by)?;
            }
            let Some(target) = users.all.get_mut(name) else {
                return if *missing_ok { Ok(()) } else { Err(failed("missing", "ALTER", name)) };
            };
            // MariaDB says that it is done, and leaves the password of CURRENT_USER as it was.
            let is_lost = engine == Engine::Mariadb && user.is_none();
            let password = options.password.clone().filter(|_| !is_lost);
            match take(engine, target, &Options { password, ..options.clone() }) {
                // IF EXISTS forgives more than that nobody exists.
                Err(_) if *missing_ok => Ok(()),
                Err(refused) if engine == Engine::Mysql => Err(refused),
                taken => taken.map_err(|_| failed("refused", "ALTER", name)),
            }
        }
        Statement::SetPassword { user, password, retains } => {
            let name = user.as_deref().unwrap_or(&by.name);
            if name != by.name && !everywhere(by, "UPDATE") {
                return Err(denied_database(by, "mysql"));
            }
            // Whoever keeps the old one may do more than change his own.
            if *retains && name == by.name {
                creates(by)?;
            }
            let target = users.all.get_mut(name).ok_or_else(no_row)?;
            let retain = retains.then_some(Retain::Current);
            take(engine, target, &Options { password: Some(password.clone()), retain, ..Options::default() })
        }
        Statement::Rename { from, to } => {
            creates(by)?;
            let refused = || failed("refused", "RENAME", from);
            if users.all.contains_key(to) {
                return Err(refused());
            }
            let renamed = users.all.remove(from).ok_or_else(refused)?;
            users.all.insert(to.clone(), renamed);
            Ok(())
        }
        Statement::Drop { user, missing_ok } => {
            creates(by)?;
            if users.all.remove(user).is_none() && !missing_ok {
                return Err(failed("missing", "DROP", user));
            }
            Ok(())
        }
        Statement::Grant { privileges, on, to, password, tls } => {
            let name = to.first().expect("one name is parsed");
            let named = granted(engine, users, by, on, privileges, || {
                if users.all.contains_key(name) || password.is_some() { Ok(()) } else { Err(unknown(engine)) }
            })?;
            if !users.all.contains_key(name) {
                match password {
                    // An old habit of MariaDB: who is given a password is made.
                    Some(_) => users.add(name, User { can_login: true, ..User::default() }),
                    None => return Err(unknown(engine)),
                }
            }
            let user = users.all.get_mut(name).expect("just looked up");
            if let Some(password) = password {
                user.password = stored(engine, password.clone())?;
            }
            if let Some(tls) = tls {
                user.tls.clone_from(tls);
            }
            if !named.is_empty() {
                user.privileges.entry(on.clone()).or_default().extend(&named);
            }
            Ok(())
        }
        Statement::Revoke { privileges, on, from } => {
            let name = from.first().expect("one name is parsed");
            let none = || ("missing", "1141", format!("There is no such grant defined for user '{name}'"));
            let named = granted(engine, users, by, on, privileges, || {
                if users.all.contains_key(name) { Ok(()) } else { Err(none()) }
            })?;
            let user = users.all.get_mut(name).ok_or_else(none)?;
            match user.privileges.get_mut(on) {
                Some(held) => held.retain(|privilege| !named.contains(privilege)),
                None if on.kind == Kind::Everything => {}
                None if on.kind == Kind::Table => {
                    let why = format!("There is no such grant defined for user '{name}' on {on}");
                    return Err(("missing", "1147", why));
                }
                None => return Err(none()),
            }
            user.privileges.retain(|_, held| !held.is_empty());
            Ok(())
        }
        Statement::RevokeAll { from } => {
            creates(by)?;
            let why = || "Can't revoke all privileges for one or more of the requested users".to_owned();
            let user = users.all.get_mut(from).ok_or_else(|| ("missing", "1269", why()))?;
            user.privileges.clear();
            Ok(())
        }
        Statement::Flush => {
            needs(by, "RELOAD")?;
            Ok(())
        }
        Statement::Begin
        | Statement::Commit
        | Statement::Rollback
        | Statement::Nothing
        | Statement::Select(_)
        | Statement::Users(_)
        | Statement::Exists(..)
        | Statement::Terminate { .. }
        | Statement::GrantRole { .. }
        | Statement::RevokeRole { .. }
        | Statement::Reassign { .. }
        | Statement::ShowGrants { .. } => Ok(()),
    }
}

/// Whether a session may do this everywhere.
pub(super) fn everywhere(by: &Acting, privilege: &str) -> bool {
    by.everywhere.contains(privilege)
}

/// What a session is told that has no right to a database.
pub(super) fn denied_database(by: &Acting, database: &str) -> Refused {
    let why = format!("Access denied for user '{}'@'%' to database '{database}'", by.name);
    ("denied", "1044", why)
}

fn take(engine: Engine, user: &mut User, options: &Options) -> Result<(), Refused> {
    let Options { password, tls, retain, names_plugin, locked, .. } = options;
    if *names_plugin && user.retained.is_some() {
        return Err(("Unsupported", "", "the world knows no plugin of a user with two passwords".to_owned()));
    }
    if *retain == Some(Retain::Current) {
        let refused = |code, why: &str| Err(("refused", code, format!("{why} for this user")));
        match (&user.password, password) {
            (None, _) => return refused("3878", "Empty password can not be retained as second password"),
            (_, Some(None)) => {
                return refused("3895", "Current password can not be retained, the new is empty,");
            }
            (current, _) => user.retained.clone_from(current),
        }
    }
    if *retain == Some(Retain::Discard) || *password == Some(None) {
        user.retained = None;
    }
    if let Some(password) = password {
        user.password = stored(engine, password.clone())?;
    }
    if let Some(tls) = tls {
        user.tls.clone_from(tls);
    }
    user.is_locked = locked.unwrap_or(user.is_locked);
    Ok(())
}

/// What is kept of a password: a form that is none is refused.
fn stored(engine: Engine, password: Option<Password>) -> Result<Option<Password>, Refused> {
    match password {
        Some(Password::Native(form)) if engine == Engine::Mariadb && !is_native(&form) => {
            Err(("refused", "1372", "Password hash should be a 41-digit hexadecimal number".to_owned()))
        }
        password => Ok(password),
    }
}

/// The rights that names stand for, if `by` may hand them on. Whether they fit is told after that.
fn granted(
    engine: Engine,
    users: &Users,
    by: &Acting,
    on: &Object,
    names: &[String],
    is_there: impl FnOnce() -> Result<(), Refused>,
) -> Result<BTreeSet<&'static str>, Refused> {
    match named(engine, on.kind, names) {
        Ok(named) => may_grant(users, by, on, &named).map(|()| named),
        // There it may be a right of a plugin, or a role.
        Err(Unfit::Unknown) if engine == Engine::Mysql => {
            Err(("Unsupported", "", format!("the world does not know each right of {names:?}")))
        }
        Err(Unfit::Unknown) => Err(("syntax", "1064", "You have an error in your SQL syntax".to_owned())),
        Err(Unfit::Misplaced) => {
            let all = named(engine, Kind::Everything, names).expect("each is some kind's");
            let database = on.name.split_once('.').map_or("", |(database, _)| database);
            let whole = Object { kind: Kind::Database, name: format!("{database}.*") };
            // Rights that are on everything or nothing are looked for there.
            let is_whole = named(engine, Kind::Database, names).is_ok();
            let everything = Object { kind: Kind::Everything, name: "*.*".to_owned() };
            may_grant(users, by, if is_whole { &whole } else { &everything }, &all)?;
            if on.kind == Kind::Table {
                return Err(("refused", "1144", "Illegal GRANT/REVOKE command".to_owned()));
            }
            is_there()?;
            Err(("refused", "1221", "Incorrect usage of DB GRANT and GLOBAL PRIVILEGES".to_owned()))
        }
    }
}

/// Whoever hands a right on has it, and may.
fn may_grant(users: &Users, by: &Acting, on: &Object, named: &BTreeSet<&'static str>) -> Result<(), Refused> {
    let mut held = by.everywhere.clone();
    let database = on.name.split_once('.').map_or("", |(database, _)| database);
    let covers = |object: &Object| {
        object == on || object.kind == Kind::Database && object.name == format!("{database}.*")
    };
    if on.kind != Kind::Everything
        && let Some(user) = users.acting(by)
    {
        held.extend(user.privileges.iter().filter(|(object, _)| covers(object)).flat_map(|(_, held)| held));
    }
    if held.contains(OPTION) && named.iter().all(|privilege| held.contains(privilege)) {
        return Ok(());
    }
    Err(match on.kind {
        Kind::Everything => ("denied", "1045", format!("Access denied for user '{}'@'%'", by.name)),
        Kind::Table => ("denied", "1142", format!("GRANT command denied to user '{}'@'%'", by.name)),
        _ => denied_database(by, database.trim_matches('`')),
    })
}

fn creates(by: &Acting) -> Result<(), Refused> {
    needs(by, "CREATE USER")
}

fn needs(by: &Acting, privilege: &str) -> Result<(), Refused> {
    let why = || format!("Access denied; you need (at least one of) the {privilege} privilege(s)");
    everywhere(by, privilege).then_some(()).ok_or_else(|| ("denied", "1227", why()))
}

fn failed(kind: &'static str, what: &str, name: &str) -> Refused {
    (kind, "1396", format!("Operation {what} USER failed for '{name}'@'%'"))
}

fn no_row() -> Refused {
    ("missing", "1133", "Can't find any matching row in the user table".to_owned())
}

fn unknown(engine: Engine) -> Refused {
    match engine {
        Engine::Mysql => ("missing", "1410", "You are not allowed to create a user with GRANT".to_owned()),
        Engine::Mariadb | Engine::Postgres => no_row(),
    }
}

/// Characters of a user's name in MySQL 8: an addition such as `_clone` may be too much.
const MYSQL_NAME_MAX: usize = 32;
