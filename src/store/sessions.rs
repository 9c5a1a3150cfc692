//! Who is signed in, and who is on the way there: sessions, and links in mails. Written in the transaction of the act
//! that makes them; only when a session was last seen is written on its own.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::access::{Access, AccessState};
use crate::domain::organization::{Organization, OrganizationStatus};
use crate::domain::right::Right;
use crate::domain::sign_in::LinkPurpose;
use crate::domain::user::UserId;
use crate::store::database::{query, query_of};
use crate::store::users::{COLUMNS, UserFile, UserRow};
use crate::store::{Store, StoreError, Transaction, named};

/// A session as it is kept.
#[derive(Clone, Debug)]
pub struct SessionFile {
    /// Whose it is.
    pub user: UserFile,
    /// Their organization.
    pub organization: Organization,
    /// Its access to the scope by which it acts for customers, if there ever was one.
    pub acting_for_customers: Option<Access>,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When they were last there, to the minute.
    pub seen_at: Timestamp,
    /// Whether they have proved their second factor, or somebody else has who vouches for them.
    pub second_factor_done: bool,
}

#[derive(FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    user: UserRow,
    organization_name: String,
    organization_active: bool,
    access_scope: Option<String>,
    access_state: Option<String>,
    access_expires_at: Option<i64>,
    session_created_at: i64,
    seen_at: i64,
    second_factor_done: bool,
}

impl Store {
    /// The session of that hash, however old it is, with everything that decides what its user may do: every page asks
    /// for that, and asks once.
    pub async fn session(&self, hash: &str) -> Result<Option<SessionFile>, StoreError> {
        let sql = format!(
            "select {COLUMNS}, o.name as organization_name, o.active as organization_active, \
             a.scope as access_scope, a.state as access_state, a.expires_at as access_expires_at, \
             s.created_at as session_created_at, s.seen_at, s.second_factor_done \
             from user_session s join portal_user u on u.id = s.user_id \
             join organization o on o.number = u.organization_number \
             left join access a on a.scope = $2 and a.consumer_number = o.number where s.hash = $1"
        );
        let row: Option<SessionRow> = query_of(sql)
            .bind(hash)
            .bind(Right::ActForCustomers.name())
            .fetch_optional(&self.readers)
            .await?;
        row.map(SessionFile::try_from).transpose()
    }

    /// Notes that somebody is there.
    pub async fn session_seen(&self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        query("update user_session set seen_at = $2 where hash = $1 and seen_at < $2")
            .bind(hash)
            .bind(now.seconds())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Whose link it is and what for, if it still counts.
    pub async fn link(
        &self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<(UserId, LinkPurpose)>, StoreError> {
        let row: Option<(String, String)> =
            query("select user_id, purpose from user_link where hash = $1 and expires_at > $2")
                .bind(hash)
                .bind(now.seconds())
                .fetch_optional(&self.readers)
                .await?;
        row.map(link).transpose()
    }
}

impl Transaction {
    /// Signs somebody in.
    pub async fn insert_session(
        &mut self,
        hash: &str,
        user: &UserId,
        second_factor_done: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into user_session (hash, user_id, created_at, seen_at, second_factor_done) \
             values ($1, $2, $3, $3, $4)",
        )
        .bind(hash)
        .bind(user.as_str())
        .bind(now.seconds())
        .bind(second_factor_done)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Signs somebody out.
    pub async fn delete_session(&mut self, hash: &str) -> Result<(), StoreError> {
        let delete = query("delete from user_session where hash = $1");
        delete.bind(hash).execute(self.connection()).await?;
        Ok(())
    }

    /// Notes that the second factor has been proved in a session.
    pub async fn second_factor_done(&mut self, hash: &str) -> Result<(), StoreError> {
        let update = query("update user_session set second_factor_done = true where hash = $1");
        update.bind(hash).execute(self.connection()).await?;
        Ok(())
    }

    /// Signs a user out everywhere, or everywhere but in one session.
    pub async fn delete_sessions_of(
        &mut self,
        user: &UserId,
        except: Option<&str>,
    ) -> Result<u64, StoreError> {
        let delete =
            query("delete from user_session where user_id = $1 and ($2 is null or hash <> $2)");
        let done = delete.bind(user.as_str()).bind(except).execute(self.connection()).await?;
        Ok(done)
    }

    /// Makes room for a session of a user: the oldest go beyond `most`, and with them everybody's from before
    /// `oldest`.
    pub async fn forget_sessions(
        &mut self,
        user: &UserId,
        most: i64,
        oldest: Timestamp,
    ) -> Result<(), StoreError> {
        query("delete from user_session where created_at < $1")
            .bind(oldest.seconds())
            .execute(self.connection())
            .await?;
        query(
            "delete from user_session where user_id = $1 and hash not in (select hash from user_session \
             where user_id = $1 order by created_at desc, hash limit $2)",
        )
        .bind(user.as_str())
        .bind(most)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Adds a link, in the place of earlier ones of that user for the same purpose. Links that no longer count go.
    pub async fn insert_link(
        &mut self,
        hash: &str,
        user: &UserId,
        purpose: LinkPurpose,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        query("delete from user_link where (user_id = $1 and purpose = $2) or expires_at <= $3")
            .bind(user.as_str())
            .bind(purpose.name())
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        query(
            "insert into user_link (hash, user_id, purpose, created_at, expires_at) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(hash)
        .bind(user.as_str())
        .bind(purpose.name())
        .bind(now.seconds())
        .bind(expires_at.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses a link up: whose it was and what for, if it still counted. Every other link of that user goes with it.
    pub async fn take_link(
        &mut self,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<(UserId, LinkPurpose)>, StoreError> {
        let taken: Option<(String, String)> = query(
            "delete from user_link where hash = $1 and expires_at > $2 returning user_id, purpose",
        )
        .bind(hash)
        .bind(now.seconds())
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = taken else { return Ok(None) };
        let (user, purpose) = link(row)?;
        self.delete_links_of(&user).await?;
        Ok(Some((user, purpose)))
    }

    /// Lets no link of a user count any more.
    pub async fn delete_links_of(&mut self, user: &UserId) -> Result<(), StoreError> {
        let delete = query("delete from user_link where user_id = $1");
        delete.bind(user.as_str()).execute(self.connection()).await?;
        Ok(())
    }
}

fn link((user, purpose): (String, String)) -> Result<(UserId, LinkPurpose), StoreError> {
    let user = user.parse().map_err(|e| StoreError::corrupt("user_link", &e))?;
    Ok((user, named("user_link", LinkPurpose::from_name, &purpose)?))
}

impl TryFrom<SessionRow> for SessionFile {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let user = UserFile::try_from(row.user)?;
        let organization = Organization {
            number: user.user.value.organization,
            name: row.organization_name,
            status: if row.organization_active {
                OrganizationStatus::Active
            } else {
                OrganizationStatus::Deactivated
            },
        };
        let access = |(scope, state): (String, String)| {
            Ok::<_, StoreError>(Access {
                scope: scope.parse().map_err(|e| StoreError::corrupt("access", &e))?,
                consumer: organization.number,
                state: named("access", AccessState::from_name, &state)?,
                expires_at: row.access_expires_at.map(Timestamp::from_seconds),
            })
        };
        Ok(Self {
            acting_for_customers: row.access_scope.zip(row.access_state).map(access).transpose()?,
            user,
            organization,
            created_at: Timestamp::from_seconds(row.session_created_at),
            seen_at: Timestamp::from_seconds(row.seen_at),
            second_factor_done: row.second_factor_done,
        })
    }
}
