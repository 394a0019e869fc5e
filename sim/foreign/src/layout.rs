//! The layout: which secrets and which database a function finds.
//!
//! It exists because published functions take other paths where the administrator's secret is made by
//! the database service, where the application reads from a copy, or where a secret asks for TLS.
//!
//! What it deliberately does not do: let a copy lag. Every host of a layout is the same server.
//!
//! Source: "JSON structure of AWS Secrets Manager database credential secrets", and the
//! `DescribeDBInstances` and `DescribeDBClusters` pages of the RDS API reference.

use crate::guest::{Answer, Call};
use crate::sql::Engine;
use serde_json::{Value, json};

/// One layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// Both secrets name engine, host and port.
    #[default]
    Plain,
    /// As plain, and both secrets say `"ssl": true`.
    Tls,
    /// The administrator's secret is the service's: user and password, and a tag that names the instance.
    Managed,
    /// As managed, of a cluster.
    Cluster,
    /// The application's secret names a read replica of the administrator's instance.
    Replica,
    /// The application's secret names the reader endpoint of the administrator's cluster.
    Reader,
}

impl Layout {
    pub const ALL: [Layout; 6] =
        [Layout::Plain, Layout::Tls, Layout::Managed, Layout::Cluster, Layout::Replica, Layout::Reader];

    pub const fn name(self) -> &'static str {
        match self {
            Layout::Plain => "plain",
            Layout::Tls => "tls",
            Layout::Managed => "managed",
            Layout::Cluster => "cluster",
            Layout::Replica => "replica",
            Layout::Reader => "reader",
        }
    }

    /// Whether the service has it for this engine: there are no clusters of MariaDB.
    pub const fn fits(self, engine: Engine) -> bool {
        !(self.is_cluster() && matches!(engine, Engine::Mariadb))
    }

    const fn is_cluster(self) -> bool {
        matches!(self, Layout::Cluster | Layout::Reader)
    }

    /// As secrets and the service spell it.
    const fn engine(self, engine: Engine) -> &'static str {
        match (self.is_cluster(), engine) {
            (true, Engine::Postgres) => "aurora-postgresql",
            (true, Engine::Mysql | Engine::Mariadb) => "aurora-mysql",
            (false, engine) => engine.name(),
        }
    }

    const fn writer(self) -> &'static str {
        if self.is_cluster() { WRITER } else { HOST }
    }

    /// Whether a server answers there.
    pub fn has_host(self, host: &str) -> bool {
        match self {
            Layout::Plain | Layout::Tls | Layout::Managed => host == HOST,
            Layout::Replica => [HOST, COPY].contains(&host),
            Layout::Cluster | Layout::Reader => [WRITER, READER].contains(&host),
        }
    }

    /// The application's first secret.
    pub fn app(self, engine: Engine, user: &str, password: &str, master: &str) -> String {
        let host = match self {
            Layout::Replica => COPY,
            Layout::Reader => READER,
            Layout::Plain | Layout::Tls | Layout::Managed | Layout::Cluster => self.writer(),
        };
        let mut value = self.full(engine, host, user, password);
        value["masterarn"] = json!(master);
        value.to_string()
    }

    /// The administrator's secret, and its tags.
    pub fn admin(self, engine: Engine, user: &str, password: &str, app: &str) -> (String, Vec<[String; 2]>) {
        let bare = json!({ "username": user, "password": password }).to_string();
        let tag = |key: &str, kind: &str, id: &str| vec![[key.to_owned(), format!("{ARN}{kind}:{id}")]];
        match self {
            Layout::Managed => (bare, tag("aws:rds:primaryDBInstanceArn", "db", INSTANCE)),
            Layout::Cluster => (bare, tag("aws:rds:primaryDBClusterArn", "cluster", CLUSTER)),
            Layout::Plain | Layout::Tls | Layout::Replica | Layout::Reader => {
                let mut value = self.full(engine, self.writer(), user, password);
                value["masterarn"] = json!(app);
                (value.to_string(), Vec::new())
            }
        }
    }

    fn full(self, engine: Engine, host: &str, user: &str, password: &str) -> Value {
        let mut value = json!({
            "engine": self.engine(engine), "host": host, "port": engine.port(),
            "dbname": "app", "username": user, "password": password,
        });
        if self == Layout::Tls {
            value["ssl"] = json!(true);
        }
        value
    }

    /// What the database service tells of instances and clusters.
    pub fn handle_call(self, call: &Call, engine: Engine) -> Answer {
        let (list, key, missing) = match call.op.as_str() {
            "rds.describe_db_instances" => ("DBInstances", "DBInstanceIdentifier", "DBInstanceNotFound"),
            "rds.describe_db_clusters" => ("DBClusters", "DBClusterIdentifier", "DBClusterNotFoundFault"),
            _ => return Answer::error("Unsupported", "", format!("the world has no operation {}", call.op)),
        };
        let mut all = if list == "DBInstances" { self.instances(engine) } else { self.clusters(engine) };
        let asked = call.text(key);
        if !asked.is_empty() {
            // An ARN is as good as a name.
            let id = asked.strip_prefix(ARN).map_or(asked, |rest| rest.split(':').nth(1).unwrap_or(rest));
            all.retain(|each| each[key].as_str().is_some_and(|name| name.eq_ignore_ascii_case(id)));
            if all.is_empty() {
                let kind = format!("{}NotFoundFault", key.trim_end_matches("Identifier"));
                return Answer::error(&kind, missing, format!("{} {id} not found.", &list[..list.len() - 1]));
            }
        }
        Answer::Value(json!({ list: all }))
    }

    fn instances(self, engine: Engine) -> Vec<Value> {
        let instance = |id: &str, host: String| {
            json!({
                "DBInstanceIdentifier": id, "Engine": self.engine(engine), "DBInstanceStatus": "available",
                "Endpoint": { "Address": host, "Port": engine.port() },
                "DBInstanceArn": format!("{ARN}db:{id}"), "ReadReplicaDBInstanceIdentifiers": [],
            })
        };
        if self.is_cluster() {
            let of_cluster = |id: &str| {
                let mut member = instance(id, format!("{id}.c1.db.internal"));
                member["DBClusterIdentifier"] = json!(CLUSTER);
                member
            };
            return MEMBERS.iter().map(|(id, _)| of_cluster(id)).collect();
        }
        let mut primary = instance(INSTANCE, HOST.to_owned());
        if self != Layout::Replica {
            return vec![primary];
        }
        primary["ReadReplicaDBInstanceIdentifiers"] = json!([REPLICA]);
        let mut copy = instance(REPLICA, COPY.to_owned());
        copy["ReadReplicaSourceDBInstanceIdentifier"] = json!(INSTANCE);
        vec![primary, copy]
    }

    fn clusters(self, engine: Engine) -> Vec<Value> {
        if !self.is_cluster() {
            return Vec::new();
        }
        let member =
            |(id, writes): &(&str, bool)| json!({ "DBInstanceIdentifier": id, "IsClusterWriter": writes });
        vec![json!({
            "DBClusterIdentifier": CLUSTER, "Engine": self.engine(engine), "Status": "available",
            "Endpoint": WRITER, "ReaderEndpoint": READER, "Port": engine.port(),
            "DBClusterArn": format!("{ARN}cluster:{CLUSTER}"),
            "DBClusterMembers": MEMBERS.iter().map(member).collect::<Vec<_>>(),
        })]
    }
}

const HOST: &str = "orders.db.internal";
const COPY: &str = "orders-copy.db.internal";
const WRITER: &str = "orders.cluster-c1.db.internal";
const READER: &str = "orders.cluster-ro-c1.db.internal";
const INSTANCE: &str = "orders";
const REPLICA: &str = "orders-copy";
const CLUSTER: &str = "orders";
const MEMBERS: [(&str, bool); 2] = [("orders-1", true), ("orders-2", false)];
const ARN: &str = "arn:aws:rds:eu-west-1:123456789012:";

#[cfg(test)]
mod tests {
    use super::*;

    /// The first entry's field, or the kind of the error.
    fn asked(layout: Layout, op: &str, filter: (&str, &str), field: &str) -> String {
        let args = [(filter.0.to_owned(), json!(filter.1))].into_iter().collect();
        let call = Call { op: format!("rds.{op}"), args, at: None, log: Vec::new() };
        match layout.handle_call(&call, Engine::Postgres) {
            Answer::Value(value) => {
                let list = value.as_object().and_then(|all| all.values().next()).expect("one list");
                list[0][field].to_string()
            }
            Answer::Error { kind, .. } => kind,
        }
    }

    #[test]
    fn the_service_finds_by_name_and_by_arn_and_says_whose_copy_an_instance_is() {
        for (layout, op, filter, field, expect) in [
            (
                Layout::Plain,
                "describe_db_instances",
                ("DBInstanceIdentifier", "orders"),
                "Engine",
                "\"postgres\"",
            ),
            (
                Layout::Managed,
                "describe_db_instances",
                ("DBInstanceIdentifier", "arn:aws:rds:eu-west-1:123456789012:db:orders"),
                "DBInstanceIdentifier",
                "\"orders\"",
            ),
            (
                Layout::Replica,
                "describe_db_instances",
                ("DBInstanceIdentifier", "orders-copy"),
                "ReadReplicaSourceDBInstanceIdentifier",
                "\"orders\"",
            ),
            (
                Layout::Plain,
                "describe_db_instances",
                ("DBInstanceIdentifier", "orders-copy"),
                "",
                "DBInstanceNotFoundFault",
            ),
            (
                Layout::Reader,
                "describe_db_clusters",
                ("DBClusterIdentifier", "orders"),
                "ReaderEndpoint",
                "\"orders.cluster-ro-c1.db.internal\"",
            ),
            (
                Layout::Plain,
                "describe_db_clusters",
                ("DBClusterIdentifier", "orders"),
                "",
                "DBClusterNotFoundFault",
            ),
        ] {
            assert_eq!(asked(layout, op, filter, field), expect, "{layout:?} {filter:?}");
        }
    }

    #[test]
    fn every_host_that_a_secret_names_has_a_server() {
        for layout in Layout::ALL {
            let (admin, tags) = layout.admin(Engine::Mysql, "admin", "p", "arn");
            for text in [layout.app(Engine::Mysql, "app", "p", "arn"), admin] {
                let value: Value = serde_json::from_str(&text).expect("it was made as JSON");
                match value["host"].as_str() {
                    Some(host) => assert!(layout.has_host(host), "{layout:?} {host}"),
                    None => {
                        assert_eq!(tags.len(), 1, "{layout:?}: what the secret does not say, a tag finds")
                    }
                }
            }
        }
    }
}
