//! The secret store: versions by request token, movable labels, and the rules of both.
//!
//! It exists as a model of the documented contract of a cloud's secret manager, as far as a rotation
//! function and the service that calls it can see it.
//!
//! What it deliberately does not do: replicate, encrypt, delete, or throttle.
//!
//! Invariant: a label stands on at most one version; the current version has a value; a version's
//! value never changes once it is there.
//!
//! Source: AWS Secrets Manager API reference, `RotateSecret`, `CancelRotateSecret`, `PutSecretValue`,
//! `UpdateSecretVersionStage`, `GetSecretValue`.

use crate::guest::{Answer, Call};
use crate::password;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub const CURRENT: &str = "AWSCURRENT";
pub const PENDING: &str = "AWSPENDING";
pub const PREVIOUS: &str = "AWSPREVIOUS";

/// All secrets, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    secrets: BTreeMap<String, Secret>,
}

/// One secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    versions: BTreeMap<String, Version>,
    /// Tokens in the order of creation.
    order: Vec<String>,
    /// Keys and values.
    tags: Vec<[String; 2]>,
    /// No rotation is under way, or will be by itself.
    is_cancelled: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    value: Option<String>,
    labels: BTreeSet<String>,
}

impl Secret {
    /// The token of the version that bears a label.
    pub fn labeled(&self, label: &str) -> Option<&str> {
        let mut found = self.versions.iter().filter(|(_, version)| version.labels.contains(label));
        let first = found.next().map(|(token, _)| token.as_str());
        assert!(found.next().is_none(), "a label stands on at most one version");
        first
    }

    pub fn value(&self, token: &str) -> Option<&str> {
        self.versions.get(token)?.value.as_deref()
    }

    /// Which one in the order of creation.
    pub fn ordinal(&self, token: &str) -> Option<usize> {
        self.order.iter().position(|each| each == token)
    }

    /// Values on versions that bear any label.
    pub fn values_labeled(&self) -> Vec<&str> {
        let labeled = self.versions.values().filter(|version| !version.labels.is_empty());
        labeled.filter_map(|version| version.value.as_deref()).collect()
    }

    fn version(&mut self, token: &str) -> &mut Version {
        if !self.versions.contains_key(token) {
            self.order.push(token.to_owned());
        }
        self.versions.entry(token.to_owned()).or_default()
    }

    /// Moves a label; what moving `current` leaves becomes `previous`.
    fn place(&mut self, label: &str, token: Option<&str>) {
        let left = self.labeled(label).map(str::to_owned);
        if left.as_deref() == token {
            return;
        }
        self.versions.values_mut().for_each(|version| {
            version.labels.remove(label);
        });
        if let Some(token) = token {
            self.version(token).labels.insert(label.to_owned());
        }
        if let (CURRENT, Some(left)) = (label, left) {
            self.place(PREVIOUS, Some(&left));
        }
    }
}

impl Store {
    /// Adds a secret with its first version.
    pub fn add(&mut self, name: &str, token: &str, value: &str, tags: Vec<[String; 2]>) {
        let secret = self.secrets.entry(name.to_owned()).or_default();
        secret.tags = tags;
        secret.version(token).value = Some(value.to_owned());
        secret.place(CURRENT, Some(token));
    }

    pub fn secret(&self, name: &str) -> &Secret {
        self.secrets.get(name).expect("the world asks for secrets that it added")
    }

    /// `RotateSecret`: a new version that bears `pending` and has no value yet.
    pub fn rotate(&mut self, name: &str, token: &str) -> Result<(), String> {
        let secret = self.secrets.get_mut(name).expect("the world rotates a secret that it added");
        let pending = secret.labeled(PENDING).map(str::to_owned);
        if pending.is_some() && pending.as_deref() != secret.labeled(CURRENT) {
            return Err(
                "a previous rotation isn't complete: the pending label is on another version".to_owned()
            );
        }
        secret.version(token);
        secret.place(PENDING, Some(token));
        secret.is_cancelled = false;
        Ok(())
    }

    /// The service's own part at the end of a rotation: the label goes, if the version is current.
    pub fn settle(&mut self, name: &str, token: &str) {
        let secret = self.secrets.get_mut(name).expect("the world settles a secret that it added");
        if secret.labeled(CURRENT) == Some(token) && secret.labeled(PENDING) == Some(token) {
            secret.place(PENDING, None);
        }
    }

    /// `CancelRotateSecret`: labels stay where they are.
    pub fn cancel(&mut self, name: &str) {
        self.secrets.get_mut(name).expect("the world cancels on a secret that it added").is_cancelled = true;
    }

    /// What the manual tells a person to do then: move `current` to the version that was pending if
    /// that is the one in use, and take `pending` off.
    pub fn remedy(&mut self, name: &str, in_use: Option<&str>) {
        let secret = self.secrets.get_mut(name).expect("the world remedies a secret that it added");
        if let Some(token) = in_use {
            secret.place(CURRENT, Some(token));
        }
        secret.place(PENDING, None);
    }

    /// Answers one call. `random` is what a password is made of, if one is asked for.
    pub fn handle_call(&mut self, call: &Call, random: &str) -> Answer {
        let op = call.op.strip_prefix("secretsmanager.").unwrap_or(&call.op);
        if op == "get_random_password" {
            return password::draw(random, &call.args);
        }
        let id = call.text("SecretId");
        let Some(name) = name(id).filter(|name| self.secrets.contains_key(*name)) else {
            return not_found(format!("Secrets Manager can't find the specified secret: {id}"));
        };
        let name = name.to_owned();
        let secret = self.secrets.get_mut(&name).expect("just looked up");
        match op {
            "describe_secret" => Answer::Value(describe(&name, secret)),
            "list_secret_version_ids" => Answer::Value(list(&name, secret)),
            "get_secret_value" => get(&name, secret, &call.args),
            "put_secret_value" => put(&name, secret, &call.args),
            "update_secret_version_stage" => update(&name, secret, &call.args),
            _ => Answer::error("Unsupported", "", format!("the world has no operation {}", call.op)),
        }
    }
}

/// The identifier that an event carries.
pub fn arn(name: &str) -> String {
    format!("{ARN}{name}")
}

fn name(id: &str) -> Option<&str> {
    Some(id.strip_prefix(ARN).unwrap_or(id)).filter(|name| !name.is_empty())
}

fn text<'a>(args: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    args.get(name).and_then(Value::as_str)
}

fn describe(name: &str, secret: &Secret) -> Value {
    let stages: BTreeMap<&str, &BTreeSet<String>> = secret
        .versions
        .iter()
        .filter(|(_, version)| !version.labels.is_empty())
        .map(|(token, version)| (token.as_str(), &version.labels))
        .collect();
    let mut told = json!({ "ARN": arn(name), "Name": name, "RotationEnabled": !secret.is_cancelled,
        "VersionIdsToStages": stages });
    if !secret.tags.is_empty() {
        let tag = |[key, value]: &[String; 2]| json!({ "Key": key, "Value": value });
        told["Tags"] = secret.tags.iter().map(tag).collect();
    }
    told
}

fn list(name: &str, secret: &Secret) -> Value {
    let version =
        |token: &String| json!({ "VersionId": token, "VersionStages": secret.versions[token].labels });
    let versions: Vec<Value> = secret.order.iter().map(version).collect();
    json!({ "ARN": arn(name), "Name": name, "Versions": versions })
}

fn get(name: &str, secret: &Secret, args: &Map<String, Value>) -> Answer {
    let stage = text(args, "VersionStage");
    let asked = text(args, "VersionId");
    let token = match asked {
        Some(token) => Some(token),
        None => secret.labeled(stage.unwrap_or(CURRENT)),
    };
    let missing = || {
        let stage = stage.unwrap_or(CURRENT);
        not_found(format!("Secrets Manager can't find the specified secret value for staging label: {stage}"))
    };
    let Some(token) = token else { return missing() };
    let Some(version) = secret.versions.get(token) else { return missing() };
    if stage.is_some_and(|stage| !version.labels.contains(stage)) {
        return missing();
    }
    let Some(value) = &version.value else { return missing() };
    Answer::Value(json!({
        "ARN": arn(name), "Name": name, "VersionId": token,
        "SecretString": value, "VersionStages": version.labels,
    }))
}

fn put(name: &str, secret: &mut Secret, args: &Map<String, Value>) -> Answer {
    let (Some(token), Some(value)) = (text(args, "ClientRequestToken"), text(args, "SecretString")) else {
        return invalid("put_secret_value needs ClientRequestToken and SecretString");
    };
    match secret.value(token) {
        Some(known) if known != value => {
            return Answer::error(
                "ResourceExistsException",
                "ResourceExistsException",
                "You can't modify the value of an existing version; the same token came with other bytes",
            );
        }
        Some(_) | None => secret.version(token).value = Some(value.to_owned()),
    }
    let stages: Vec<String> = match args.get("VersionStages").and_then(Value::as_array) {
        Some(stages) => stages.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => vec![CURRENT.to_owned()],
    };
    stages.iter().for_each(|stage| secret.place(stage, Some(token)));
    let labels = &secret.versions[token].labels;
    Answer::Value(json!({ "ARN": arn(name), "Name": name, "VersionId": token, "VersionStages": labels }))
}

fn update(name: &str, secret: &mut Secret, args: &Map<String, Value>) -> Answer {
    let Some(stage) = text(args, "VersionStage") else {
        return invalid("update_secret_version_stage needs VersionStage");
    };
    let (to, from) = (text(args, "MoveToVersionId"), text(args, "RemoveFromVersionId"));
    let stands = secret.labeled(stage);
    if let Some(to) = to
        && secret.value(to).is_none()
    {
        return not_found(format!("no version {to} with a value"));
    }
    let moves = stands.is_some() && stands != to;
    if moves && from != stands {
        return invalid(format!(
            "The parameter RemoveFromVersionId can't be empty or other than the version that {stage} is attached to"
        ));
    }
    if to.is_none() && stage == CURRENT {
        return invalid("the current label can be moved and not removed");
    }
    let to = to.map(str::to_owned);
    secret.place(stage, to.as_deref());
    Answer::Value(json!({ "ARN": arn(name), "Name": name }))
}

fn not_found(message: impl Into<String>) -> Answer {
    Answer::error("ResourceNotFoundException", "ResourceNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> Answer {
    Answer::error("InvalidParameterException", "InvalidParameterException", message)
}

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::default();
        store.add("s", "v1", "one", Vec::new());
        store
    }

    /// Calls; the kind of the error, or nothing.
    fn kind(store: &mut Store, op: &str, args: Value) -> String {
        let Value::Object(mut args) = args else { panic!("an object") };
        args.insert("SecretId".to_owned(), json!(arn("s")));
        let call = Call { op: format!("secretsmanager.{op}"), args, at: None, log: Vec::new() };
        match store.handle_call(&call, "random") {
            Answer::Value(_) => String::new(),
            Answer::Error { kind, .. } => kind,
        }
    }

    fn put(store: &mut Store, token: &str, value: &str) -> String {
        let args = json!({ "ClientRequestToken": token, "SecretString": value, "VersionStages": [PENDING] });
        kind(store, "put_secret_value", args)
    }

    fn promote(store: &mut Store, to: &str, from: Option<&str>) -> String {
        let args = json!({ "VersionStage": CURRENT, "MoveToVersionId": to, "RemoveFromVersionId": from });
        kind(store, "update_secret_version_stage", args)
    }

    #[test]
    fn the_same_token_with_other_bytes_is_refused_and_with_the_same_is_the_same() {
        let mut store = store();
        store.rotate("s", "v2").expect("nothing is pending");
        assert_eq!(put(&mut store, "v2", "two"), "");
        assert_eq!(put(&mut store, "v2", "two"), "");
        assert_eq!(put(&mut store, "v2", "other"), "ResourceExistsException");
        assert_eq!(store.secret("s").value("v2"), Some("two"));
    }

    #[test]
    fn current_moves_only_from_where_it_is_said_to_be_and_leaves_previous_behind() {
        let mut store = store();
        store.rotate("s", "v2").expect("nothing is pending");
        assert_eq!(promote(&mut store, "v2", Some("v1")), "ResourceNotFoundException", "it has no value");
        put(&mut store, "v2", "two");
        for from in [None, Some("v2"), Some("v9")] {
            assert_eq!(promote(&mut store, "v2", from), "InvalidParameterException", "{from:?}");
        }
        assert_eq!(promote(&mut store, "v2", Some("v1")), "");
        assert_eq!(store.secret("s").labeled(CURRENT), Some("v2"));
        assert_eq!(store.secret("s").labeled(PREVIOUS), Some("v1"));
        assert_eq!(promote(&mut store, "v2", Some("v1")), "", "it stands there already");
    }

    #[test]
    fn a_rotation_is_refused_while_pending_is_elsewhere_until_somebody_cancels() {
        let mut store = store();
        store.rotate("s", "v2").expect("nothing is pending");
        assert!(store.rotate("s", "v3").is_err());
        store.cancel("s");
        assert!(store.rotate("s", "v3").is_err(), "cancelling leaves the label");
        store.remedy("s", None);
        store.rotate("s", "v3").expect("nothing is pending");
        put(&mut store, "v3", "three");
        promote(&mut store, "v3", Some("v1"));
        store.rotate("s", "v4").expect("pending on the current version is a rotation that is over");
    }

    #[test]
    fn a_version_without_its_label_is_not_found_by_it() {
        let mut store = store();
        let read = |store: &mut Store, id: Option<&str>, stage: &str| {
            kind(store, "get_secret_value", json!({ "VersionId": id, "VersionStage": stage }))
        };
        assert_eq!(read(&mut store, Some("v1"), CURRENT), "");
        assert_eq!(read(&mut store, Some("v1"), PENDING), "ResourceNotFoundException");
        store.rotate("s", "v2").expect("nothing is pending");
        assert_eq!(read(&mut store, None, PENDING), "ResourceNotFoundException", "it has no value yet");
    }
}
