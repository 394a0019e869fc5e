//! What `CREATE` and `ALTER` say of a user.
//!
//! A word that a dialect may know there, and this world does not, is refused by name; any other is the
//! error that the server makes of it.

use super::*;
use crate::sql::user::Retain;

impl Reader<'_> {
    pub(super) fn options(&mut self, creates: bool) -> Read<Options> {
        if self.engine.is_postgres() { self.role_options(creates) } else { self.account_options(creates) }
    }

    fn role_options(&mut self, creates: bool) -> Read<Options> {
        let mut options = Options::default();
        let mut said: Vec<String> = Vec::new();
        self.word("WITH");
        while let Some(placed) = self.tokens.first().cloned() {
            let Token::Word(word) = placed.token else { return Err(wrong(self.engine)) };
            self.tokens = &self.tokens[1..];
            let word = word.to_ascii_uppercase();
            let on = !word.starts_with("NO");
            match word.as_str() {
                "INHERIT" | "NOCREATEDB" | "NOREPLICATION" | "NOBYPASSRLS" => options.says_more = true,
                "ENCRYPTED" => {
                    need(matches!(self.tokens.first(), Some(next) if next.token.is("PASSWORD")))?;
                    // An encrypted password is a text: here, `NULL` is an error.
                    let is_null = matches!(self.tokens.get(1), Some(next) if next.token.is("NULL"));
                    (!is_null).then_some(()).ok_or_else(|| wrong(self.engine))?;
                    continue;
                }
                "PASSWORD" => {
                    let password = if self.word("NULL") { None } else { Some(self.role_password()?) };
                    options.password = Some(password.and_then(kept));
                }
                "LOGIN" | "NOLOGIN" => options.login = Some(on),
                "SUPERUSER" | "NOSUPERUSER" => options.superuser = Some(on),
                "CREATEROLE" | "NOCREATEROLE" => options.createrole = Some(on),
                "VALID" => {
                    need(self.word("UNTIL"))?;
                    options.valid_until = Some(self.text()?);
                }
                "IN" => {
                    need(self.word("ROLE") || self.word("GROUP"))?;
                    // `ALTER` knows no such option.
                    creates.then_some(()).ok_or_else(|| wrong(self.engine))?;
                    options.roles = self.users()?;
                }
                "CONNECTION" => {
                    need(self.word("LIMIT"))?;
                    let is_any = self.mark('-');
                    let Token::Number(number) = *self.next()? else { return Err(Unread::Unknown) };
                    need(!is_any || number == 1)?;
                    let limit = (!is_any).then(|| u64::try_from(number).expect("it has no sign"));
                    options.connections = Some(limit);
                }
                other if REFUSED.contains(&other) => return Err(Unread::Unknown),
                _ => return Err(wrong(self.engine)),
            }
            let what = word.strip_prefix("NO").unwrap_or(&word).to_owned();
            options.is_redundant |= said.contains(&what);
            said.push(what);
        }
        Ok(options)
    }

    /// A stored form is taken as it is by the server; what its text is, the world cannot know.
    fn role_password(&mut self) -> Read<Password> {
        // Nothing but a text is a password; a letter before one gives it another form.
        match self.tokens {
            [Placed { token: Token::Word(_), .. }, next, ..] if matches!(next.token, Token::Text(_)) => {}
            [Placed { token: Token::Word(_) | Token::Name(_) | Token::Number(_), .. }, ..] => {
                return Err(wrong(self.engine));
            }
            _ => {}
        }
        let text = self.text()?;
        let is_stored = text.starts_with("SCRAM-SHA-256$") || text.starts_with("md5") && text.len() == 35;
        need(!is_stored)?;
        Ok(Password::Text(text))
    }

    fn account_options(&mut self, creates: bool) -> Read<Options> {
        let next = |index: usize, word: &str| self.tokens.get(index).is_some_and(|next| next.token.is(word));
        let names_plugin = next(0, "IDENTIFIED") && (next(1, "WITH") || next(1, "VIA"));
        let mut options = Options { password: self.identified()?, names_plugin, ..Options::default() };
        if self.engine == Engine::Mysql && !creates {
            options.retain = self.retain(&options)?;
        }
        if self.word("REQUIRE") {
            options.tls = Some(self.tls()?);
        }
        if self.word("ACCOUNT") {
            let locks = self.word("LOCK");
            need(locks || self.word("UNLOCK"))?;
            options.locked = Some(locks);
        }
        let token = |index: usize| self.tokens.get(index).map(|placed| &placed.token);
        let Some(first) = token(0) else { return Ok(options) };
        let more: &[&str] = if self.engine == Engine::Mysql { LIMITS_MYSQL } else { &[] };
        let is_limit = LIMITS.iter().chain(more).any(|limit| first.is(limit));
        // PostgreSQL's way to give a password is no limit of MySQL's.
        let is_other = (first.is("WITH") || first.is("PASSWORD") || self.engine == Engine::Mariadb)
            && token(1).is_some_and(|second| second.is("PASSWORD") || matches!(second, Token::Text(_)));
        let unknown = *first == Token::Mark(',') || is_limit && !is_other;
        Err(if unknown { Unread::Unknown } else { wrong(self.engine) })
    }

    /// What MySQL, since 8.0.14, says of the password that was there. A change of the plugin forbids it.
    fn retain(&mut self, said: &Options) -> Read<Option<Retain>> {
        match said.password {
            Some(_) if self.words(&["RETAIN", "CURRENT", "PASSWORD"])? => {
                need(!said.names_plugin).map(|()| Some(Retain::Current))
            }
            None if self.words(&["DISCARD", "OLD", "PASSWORD"])? => Ok(Some(Retain::Discard)),
            Some(_) | None => Ok(None),
        }
    }

    /// `IDENTIFIED …`, if it comes.
    pub(super) fn identified(&mut self) -> Read<Option<Option<Password>>> {
        if !self.word("IDENTIFIED") {
            return Ok(None);
        }
        let mariadb = self.engine == Engine::Mariadb;
        if self.word("WITH") || mariadb && self.word("VIA") {
            let plugin = match self.next()?.clone() {
                Token::Word(plugin) | Token::Name(plugin) | Token::Text(plugin) => {
                    plugin.to_ascii_lowercase()
                }
                Token::Number(_) | Token::Mark(_) => return Err(wrong(self.engine)),
            };
            need(plugin == "mysql_native_password" || !mariadb && plugin == "caching_sha2_password")?;
            if mariadb {
                if matches!(self.tokens.first(), Some(next) if next.token.is("BY")) {
                    return Err(wrong(self.engine));
                }
                need(self.word("USING") || self.word("AS"))?;
                return Ok(Some(kept(Password::Native(self.text()?))));
            }
        }
        need(self.word("BY"))?;
        if self.word("PASSWORD") {
            mariadb.then_some(()).ok_or_else(|| wrong(self.engine))?;
            return Ok(Some(kept(Password::Native(self.text()?))));
        }
        let is_random = matches!(self.tokens, [next, ..] if next.token.is("RANDOM"));
        if matches!(
            self.tokens,
            [Placed { token: Token::Word(_) | Token::Name(_) | Token::Number(_), .. }, ..]
        ) && (!is_random || self.engine == Engine::Mariadb)
        {
            return Err(wrong(self.engine));
        }
        Ok(Some(kept(Password::Text(self.text()?))))
    }

    /// What follows `REQUIRE`.
    pub(super) fn tls(&mut self) -> Read<Tls> {
        for (word, tls) in [("NONE", Tls::None), ("SSL", Tls::Ssl), ("X509", Tls::X509)] {
            if self.word(word) {
                return Ok(tls);
            }
        }
        let (mut cipher, mut issuer, mut subject) = (String::new(), String::new(), String::new());
        loop {
            let Token::Word(word) = self.next()?.clone() else { return Err(wrong(self.engine)) };
            let part = match word.to_ascii_uppercase().as_str() {
                "CIPHER" => &mut cipher,
                "ISSUER" => &mut issuer,
                "SUBJECT" => &mut subject,
                _ => return Err(wrong(self.engine)),
            };
            *part = self.text()?;
            need(!part.contains(['\'', '\\']))?;
            self.word("AND");
            let goes_on =
                |next: &Placed| ["CIPHER", "ISSUER", "SUBJECT"].iter().any(|word| next.token.is(word));
            if !self.tokens.first().is_some_and(goes_on) {
                return Ok(Tls::Certificate { cipher, issuer, subject });
            }
        }
    }
}

/// Options of roles that change what the world does not model.
const REFUSED: &[&str] = &[
    "ADMIN",
    "BYPASSRLS",
    "CREATEDB",
    "NOINHERIT",
    "RENAME",
    "REPLICATION",
    "RESET",
    "ROLE",
    "SET",
    "SYSID",
    "UNENCRYPTED",
    "USER",
];
/// What may follow in `CREATE USER`, and is not modelled.
const LIMITS: &[&str] =
    &["ACCOUNT", "ATTRIBUTE", "COMMENT", "DEFAULT", "FAILED_LOGIN_ATTEMPTS", "OR", "PASSWORD", "WITH"];
/// The same, and MySQL's alone.
const LIMITS_MYSQL: &[&str] = &[
    "ADD",
    "AND",
    "DISCARD",
    "DROP",
    "FINISH",
    "INITIATE",
    "MODIFY",
    "PASSWORD_LOCK_TIME",
    "REPLACE",
    "RETAIN",
    "UNREGISTER",
];
