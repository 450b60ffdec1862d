//! One write as one whole: first every part is checked, then every part is written.

use rusqlite::Connection;

use super::error::Trouble;
use super::rows::{JobChange, encode_all, known};
use super::{announcements, campaigns, endpoints, jobs, replies, runs, suppressions};
use crate::store::{Change, ReplyWrite, StoreError, Write};

/// A write, made ready on its caller's thread.
pub(super) struct Prepared {
    job: Option<JobChange>,
    campaign: Option<campaigns::CampaignChange>,
    ends: Option<runs::End>,
    suppress: Option<suppressions::Row>,
    unsuppress: Option<String>,
    notes: Option<(String, Vec<String>)>,
    announce: Vec<String>,
    endpoint: Option<endpoints::EndpointChange>,
    reply: Option<ReplyWrite>,
}

impl Prepared {
    pub(super) fn new(write: Write) -> Result<Self, StoreError> {
        let notes =
            |(job, entries): (crate::id::JobId, Vec<_>)| Ok::<_, StoreError>((job.to_string(), encode_all(&entries)?));
        Ok(Self {
            job: write.job.map(JobChange::new).transpose()?,
            campaign: write.campaign.map(campaigns::CampaignChange::new).transpose()?,
            ends: write.ends.map(runs::End::new).transpose()?,
            suppress: write.suppress.as_ref().map(suppressions::row).transpose()?,
            unsuppress: write.unsuppress.map(|phone| phone.as_str().to_owned()),
            notes: write.notes.map(notes).transpose()?,
            announce: encode_all(&write.announce)?,
            endpoint: write.endpoint.map(endpoints::EndpointChange::new).transpose()?,
            reply: write.reply,
        })
    }

    /// Carries it out in the open transaction.
    pub(super) fn run(&self, db: &Connection, now: i64, changes: &mut Vec<Change>) -> Result<(), Trouble> {
        // A repeated request must hear of its first reply, whatever else is true by now.
        if let Some(reply) = &self.reply {
            replies::check(db, reply, now)?;
        }
        if let Some(campaign) = &self.campaign {
            campaigns::check(db, campaign)?;
        }
        if let Some(end) = &self.ends {
            runs::check_end(db, end)?;
        }
        if let Some(endpoint) = &self.endpoint {
            endpoints::check(db, endpoint)?;
        }
        let new_campaign = self.campaign.as_ref().is_some_and(|campaign| campaign.from.is_none());
        let place = self.job.as_ref().map(|job| jobs::check(db, job, new_campaign)).transpose()?;
        let noted = match &self.notes {
            None => None,
            Some((id, entries)) => match known(db, id)? {
                Some(known) => Some((known.seq, entries)),
                None => return Err(StoreError::Missing("job").into()),
            },
        };

        if let Some(campaign) = &self.campaign {
            campaigns::write(db, campaign)?;
            changes.push(Change::Campaign(campaign.id.clone()));
        }
        if let Some(end) = &self.ends {
            runs::end(db, end)?;
            changes.push(Change::Campaign(end.campaign.clone()));
        }
        if let (Some(change), Some(place)) = (&self.job, place) {
            jobs::write(db, change, place)?;
            changes.push(moved(change));
        }
        if let Some((seq, entries)) = noted {
            jobs::add_entries(db, seq, entries)?;
        }
        if let Some(phone) = &self.unsuppress {
            let gone = db.prepare_cached("DELETE FROM suppressions WHERE phone = ?")?.execute([phone])?;
            changes.extend((gone > 0).then_some(Change::Suppression));
        }
        if let Some(suppress) = &self.suppress {
            suppressions::add(db, suppress, changes)?;
        }
        announcements::write(db, &self.announce, now)?;
        if let Some(endpoint) = &self.endpoint {
            endpoints::write(db, endpoint)?;
            changes.extend(endpoint.is_news().then_some(Change::Endpoint));
        }
        if let Some(reply) = &self.reply {
            replies::write(db, reply, now)?;
        }
        Ok(())
    }
}

/// The news of a job that was written.
pub(super) fn moved(change: &JobChange) -> Change {
    let run = change.job.membership().map(|membership| membership.run.clone());
    Change::Job { id: change.job.id().clone(), run, status: change.row.status }
}
