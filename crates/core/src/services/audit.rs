//! Audit records in the form of CloudTrail (reference 7.2): one for each journal record, and one for each request that
//! left none there, because it read or failed.

use serde_json::{Map, Value, json};

use crate::access::Action;
use crate::merkle::leaf_hash;
use crate::model::{JournalRecord, Timestamp};

/// What stands where a secret would.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// A request that was answered, or given up, without a journal record.
#[derive(Debug, Clone, Default)]
pub struct AuditCall {
    pub at: Timestamp,
    pub request_id: String,
    pub method: String,
    /// Decoded, without query and without tokens.
    pub uri: String,
    pub status: u16,
    /// The ARN, if it became known.
    pub principal: Option<String>,
    pub address: String,
    pub user_agent: Option<String>,
    /// The action, spelled as IAM spells it, and the ARN that it was decided about, if it came so far.
    pub action: Option<&'static str>,
    pub resource: Option<String>,
    /// The API's error, or the status in its words.
    pub error_code: Option<String>,
    /// The rule that refused it.
    pub denial: Option<String>,
}

/// The record of a request.
#[must_use]
pub fn of_call(call: &AuditCall, region: &str) -> Value {
    let resource = call.resource.as_deref().unwrap_or_default();
    let name = call.action.unwrap_or("UnauthenticatedRequest");
    let is_read = match call.action {
        Some(name) => is_read(name),
        None => matches!(call.method.as_str(), "GET" | "HEAD"),
    };
    let mut more = Map::new();
    more.insert("httpMethod".to_owned(), json!(call.method));
    more.insert("requestUri".to_owned(), json!(call.uri));
    more.insert("httpStatus".to_owned(), json!(call.status));
    if let Some(denial) = &call.denial {
        more.insert("denial".to_owned(), json!(denial));
    }
    Record {
        event_id: &format!("{}-call", call.request_id),
        at: call.at,
        name,
        principal: call.principal.as_deref(),
        address: Some(&call.address),
        user_agent: call.user_agent.as_deref(),
        region,
        resource,
        error_code: call.error_code.as_deref(),
        response: Value::Null,
        more,
        request_id: &call.request_id,
        is_read,
    }
    .render()
}

/// The record of a sealed journal record.
#[must_use]
pub fn of_journal(record: &JournalRecord, region: &str) -> Value {
    let client: Value = record.client.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let makes_token = record.operation == Action::GetAuthorizationToken.name();
    // A token is one of the user's; what was asked for is one for a domain.
    let asked = client["resource"].as_str().filter(|_| makes_token);
    let mut more = Map::new();
    for (name, member) in [("httpMethod", "method"), ("requestUri", "uri")] {
        if let Some(value) = client.get(member) {
            more.insert(name.to_owned(), value.clone());
        }
    }
    more.insert("journalSequence".to_owned(), json!(record.sequence));
    more.insert("leafIndex".to_owned(), json!(record.leaf));
    more.insert("before".to_owned(), json!(record.before));
    more.insert("after".to_owned(), json!(record.after));
    Record {
        event_id: &hex::encode(&leaf_hash(&record.leaf_bytes())[..16]),
        at: record.at,
        name: &record.operation,
        principal: Some(&record.principal),
        address: record.address.as_deref(),
        user_agent: client["userAgent"].as_str(),
        region,
        resource: asked.unwrap_or(&record.resource),
        error_code: None,
        response: if makes_token { json!({"sessionToken": HIDDEN}) } else { Value::Null },
        more,
        request_id: &record.request_id,
        is_read: false,
    }
    .render()
}

/// What says that requests were answered without a record.
#[must_use]
pub fn of_dropped(count: u64, at: Timestamp, region: &str) -> Value {
    let mut more = Map::new();
    more.insert("droppedRecords".to_owned(), json!(count));
    Record {
        event_id: &format!("dropped-{}", at.0),
        at,
        name: "AuditRecordsDropped",
        principal: None,
        address: None,
        user_agent: None,
        region,
        resource: "",
        error_code: None,
        response: Value::Null,
        more,
        request_id: "",
        is_read: false,
    }
    .render()
}

struct Record<'a> {
    event_id: &'a str,
    at: Timestamp,
    name: &'a str,
    principal: Option<&'a str>,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
    region: &'a str,
    resource: &'a str,
    error_code: Option<&'a str>,
    response: Value,
    more: Map<String, Value>,
    request_id: &'a str,
    is_read: bool,
}

impl Record<'_> {
    fn render(self) -> Value {
        let time = self.at.rfc3339();
        let identity = identity(self.principal);
        let account = identity.get("accountId").cloned().unwrap_or_default();
        let resources = if self.resource.starts_with("arn:") {
            let arn = self.resource.split('#').next().unwrap_or_default();
            json!([{"ARN": arn, "accountId": arn.split(':').nth(4), "type": resource_type(arn)}])
        } else {
            Value::Null
        };
        let mut record = json!({
            "eventVersion": "1.08",
            "userIdentity": identity,
            "eventTime": format!("{}Z", time.get(..19).unwrap_or_default()),
            "eventSource": source(self.name, self.resource),
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": self.address,
            "userAgent": self.user_agent,
            "requestParameters": parameters(self.resource),
            "responseElements": self.response,
            "additionalEventData": self.more,
            "requestID": self.request_id,
            "eventID": self.event_id,
            "readOnly": self.is_read,
            "resources": resources,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": account,
            "eventCategory": "Management",
        });
        if let Some(code) = self.error_code {
            record["errorCode"] = json!(code);
        }
        record
    }
}

fn is_read(name: &str) -> bool {
    Action::CODEARTIFACT.iter().find(|action| action.name() == name).is_some_and(|action| action.is_read())
}

/// Which AWS service the operation is one of.
fn source(name: &str, resource: &str) -> &'static str {
    if Action::CODEARTIFACT.iter().any(|action| action.name() == name) || resource.contains(":codeartifact:") {
        "codeartifact.amazonaws.com"
    } else if name.starts_with("AssumeRole") || name == "GetSessionToken" {
        "sts.amazonaws.com"
    } else if matches!(name, "CutJournal" | "AuditRecordsDropped" | "UnauthenticatedRequest") {
        "larder"
    } else {
        "iam.amazonaws.com"
    }
}

fn resource_type(arn: &str) -> &'static str {
    match arn.split(':').nth(5).and_then(|rest| rest.split('/').next()) {
        Some("domain") => "AWS::CodeArtifact::Domain",
        Some("repository") => "AWS::CodeArtifact::Repository",
        Some("package") => "AWS::CodeArtifact::Package",
        Some("package-group") => "AWS::CodeArtifact::PackageGroup",
        Some("user") => "AWS::IAM::User",
        Some("role") => "AWS::IAM::Role",
        _ => "AWS::IAM::Account",
    }
}

/// The domain, repository, package and version that an ARN of the journal names.
fn parameters(resource: &str) -> Value {
    let (arn, version) = resource.split_once('#').map_or((resource, None), |(arn, version)| (arn, Some(version)));
    let mut parts = arn.splitn(6, ':');
    let (Some("codeartifact"), _, Some(owner), Some(rest)) = (parts.nth(2), parts.next(), parts.next(), parts.next())
    else {
        return Value::Null;
    };
    let mut parameters = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            parameters.insert(name.to_owned(), json!(value));
        }
    };
    let mut names = rest.splitn(6, '/');
    let kind = names.next();
    put("domainName", names.next());
    put("domainOwner", Some(owner));
    put(if kind == Some("package-group") { "packageGroup" } else { "repositoryName" }, names.next());
    put("packageFormat", names.next());
    put("packageNamespace", names.next());
    put("packageName", names.next());
    put("packageVersion", version);
    Value::Object(parameters)
}

/// Who a principal's ARN is.
fn identity(principal: Option<&str>) -> Value {
    let Some(principal) = principal else { return json!({"type": "Unknown"}) };
    let mut parts = principal.splitn(6, ':');
    let (Some(account), Some(rest)) = (parts.nth(4), parts.next()) else {
        return json!({"type": "AWSService", "invokedBy": principal});
    };
    let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
    match kind {
        "user" => {
            let name = name.rsplit('/').next();
            json!({"type": "IAMUser", "arn": principal, "accountId": account, "userName": name})
        }
        "assumed-role" => json!({"type": "AssumedRole", "arn": principal, "accountId": account}),
        "root" => json!({"type": "Root", "arn": principal, "accountId": account}),
        _ => json!({"type": "Unknown", "arn": principal, "accountId": account}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "arn:aws:codeartifact:us-east-1:111122223333:package/dom/repo/npm/scope/name";

    #[test]
    fn a_read_has_the_shape_of_the_reference() {
        let call = AuditCall {
            at: Timestamp(1_700_000_000_000),
            request_id: "r".to_owned(),
            method: "GET".to_owned(),
            uri: "/npm/name".to_owned(),
            status: 200,
            principal: Some("arn:aws:iam::111122223333:user/alice".to_owned()),
            address: "127.0.0.1".to_owned(),
            action: Some("ReadFromRepository"),
            resource: Some(PACKAGE.to_owned()),
            ..AuditCall::default()
        };
        let record = of_call(&call, "us-east-1");
        assert_eq!(record["eventSource"], "codeartifact.amazonaws.com");
        assert_eq!((&record["eventName"], &record["readOnly"]), (&json!("ReadFromRepository"), &json!(true)));
        assert_eq!(record["userIdentity"]["userName"], "alice");
        assert_eq!(
            record["requestParameters"],
            json!({"domainName": "dom", "domainOwner": "111122223333", "repositoryName": "repo", "packageFormat": "npm",
                   "packageNamespace": "scope", "packageName": "name"})
        );
        assert_eq!(record["eventTime"], "2023-11-14T22:13:20Z");
        assert_eq!((&record["responseElements"], record.get("errorCode")), (&Value::Null, None));
    }

    #[test]
    fn a_token_is_hidden_and_its_domain_told() {
        let record = JournalRecord {
            operation: "GetAuthorizationToken".to_owned(),
            principal: "arn:aws:iam::111122223333:user/alice".to_owned(),
            resource: "arn:aws:iam::111122223333:user/alice/token/1".to_owned(),
            client: Some(
                json!({"method": "POST", "uri": "/v1/authorization-token", "userAgent": "aws-cli/2",
                "resource": "arn:aws:codeartifact:us-east-1:111122223333:domain/dom"})
                .to_string(),
            ),
            ..JournalRecord::default()
        };
        let told = of_journal(&record, "us-east-1");
        assert_eq!(told["requestParameters"], json!({"domainName": "dom", "domainOwner": "111122223333"}));
        assert_eq!(told["responseElements"]["sessionToken"], HIDDEN);
        assert_eq!((&told["readOnly"], &told["userAgent"]), (&json!(false), &json!("aws-cli/2")));
    }

    #[test]
    fn versions_and_other_resources_are_told_apart() {
        assert_eq!(parameters(&format!("{PACKAGE}#1.0"))["packageVersion"], "1.0");
        assert_eq!(parameters("arn:aws:iam::1:user/a"), Value::Null);
        assert_eq!(parameters("journal"), Value::Null);
        assert_eq!(identity(Some("larder"))["type"], "AWSService");
        assert_eq!(source("CreateUser", "arn:aws:iam::1:user/a"), "iam.amazonaws.com");
    }
}
