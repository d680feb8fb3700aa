//! An event as EventBridge has it (reference 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use crate::merkle::leaf_hash;
use crate::model::{JournalRecord, Timestamp, VersionEvent};
use crate::ports::EventMessage;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    version: &'static str,
    id: &'a str,
    detail_type: &'static str,
    source: &'static str,
    account: &'a str,
    time: &'a str,
    region: &'a str,
    resources: [&'a str; 1],
    detail: Detail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(flatten)]
    event: &'a VersionEvent,
    sequence_number: i64,
    event_deduplication_id: String,
}

/// The event of a record, if there is one and it can be read, with what it tells.
#[must_use]
pub fn render(record: &JournalRecord, now: Timestamp) -> Option<(VersionEvent, EventMessage)> {
    let event: VersionEvent = serde_json::from_str(record.event.as_deref()?).ok()?;
    // What identifies the record identifies the event, however often it is sent.
    let hash = leaf_hash(&record.leaf_bytes());
    let hex = hex::encode(&hash[..16]);
    let id = format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32]);
    let resource = package_of(record);
    let time = record.at.rfc3339();
    let seconds = format!("{}Z", time.get(..19)?);
    let envelope = Envelope {
        version: "0",
        id: &id,
        detail_type: "CodeArtifact Package Version State Change",
        source: "aws.codeartifact",
        account: &event.domain_owner,
        time: &seconds,
        region: resource.split(':').nth(3).unwrap_or_default(),
        resources: [resource],
        detail: Detail {
            event: &event,
            // Changes of a package happen one after the other, and so rise their sequences.
            sequence_number: record.sequence,
            event_deduplication_id: BASE64.encode(hash),
        },
    };
    let body = serde_json::to_string(&envelope).ok()?;
    Some((event, EventMessage { id, at: now, body }))
}

/// The ARN of a record's package.
pub(super) fn package_of(record: &JournalRecord) -> &str {
    record.resource.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventType, VersionChanges};

    #[test]
    fn an_event_has_the_shape_of_the_reference() {
        let event = VersionEvent {
            domain_name: "my-domain".to_owned(),
            domain_owner: "111122223333".to_owned(),
            repository_name: "myrepo".to_owned(),
            repository_administrator: "123456789012".to_owned(),
            package_format: "npm".to_owned(),
            package_namespace: None,
            package_name: "mypackage".to_owned(),
            package_version: "1.0.0".to_owned(),
            package_version_state: "Published".to_owned(),
            package_version_revision: "0E5DE26A".to_owned(),
            previous_package_version_state: None,
            changes: VersionChanges {
                assets_added: 1,
                metadata_updated: true,
                status_changed: true,
                ..VersionChanges::default()
            },
            operation_type: EventType::Created,
        };
        let record = JournalRecord {
            sequence: 9,
            at: Timestamp(1_574_378_394_000),
            resource: "arn:aws:codeartifact:us-west-2:111122223333:package/my-domain/myrepo/npm//mypackage#1.0.0"
                .to_owned(),
            event: Some(serde_json::to_string(&event).unwrap()),
            ..JournalRecord::default()
        };
        let (told, message) = render(&record, Timestamp(0)).unwrap();
        assert_eq!(told, event);
        let mut body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(body["id"], message.id);
        let detail = body["detail"].as_object_mut().unwrap();
        assert!(detail.remove("eventDeduplicationId").unwrap().as_str().unwrap().len() == 44);
        assert_eq!(
            body,
            serde_json::json!({
                "version": "0", "id": message.id, "detail-type": "CodeArtifact Package Version State Change",
                "source": "aws.codeartifact", "account": "111122223333", "time": "2019-11-21T23:19:54Z",
                "region": "us-west-2",
                "resources": ["arn:aws:codeartifact:us-west-2:111122223333:package/my-domain/myrepo/npm//mypackage"],
                "detail": {
                    "domainName": "my-domain", "domainOwner": "111122223333", "repositoryName": "myrepo",
                    "repositoryAdministrator": "123456789012", "packageFormat": "npm", "packageNamespace": null,
                    "packageName": "mypackage", "packageVersion": "1.0.0", "packageVersionState": "Published",
                    "packageVersionRevision": "0E5DE26A", "previousPackageVersionState": null,
                    "changes": {"assetsAdded": 1, "assetsRemoved": 0, "metadataUpdated": true, "assetsUpdated": 0,
                                "statusChanged": true},
                    "operationType": "Created", "sequenceNumber": 9,
                },
            })
        );
    }
}
