"""The archive: packed documents, what is found by which words, and issues that are kept no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # Documents have no version yet: whoever holds one in memory asks for it again when the counter moves.
    op.add_column("documents", sa.Column("version", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("documents", sa.Column("gzip", sa.LargeBinary()))
    op.add_column("documents", sa.Column("brotli", sa.LargeBinary()))
    op.create_index("ix_documents_version", "documents", ["version"], unique=False)

    # 0: its stories are not in the index yet; the service writes them there by and by.
    op.add_column("issues", sa.Column("indexed", sa.Integer(), server_default="0", nullable=False))
    op.add_column("issues", sa.Column("shelved_at", sa.BigInteger()))
    op.create_index("ix_issues_indexed", "issues", ["indexed", "id"], unique=False)
    public = sa.text("public IS true") if op.get_bind().dialect.name == "postgresql" else sa.text("public IS 1")
    op.create_index(
        "ix_issues_archive",
        "issues",
        ["newsletter", "date", "id"],
        unique=False,
        sqlite_where=public,
        postgresql_where=public,
    )
    op.create_table(
        "stories",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_stories_issue_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
    )
    op.create_index("ix_stories_issue", "stories", ["issue_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        # The words come in as the search reads them (`store/terms`): apart from spaces, all is one word here.
        op.execute(
            "CREATE VIRTUAL TABLE story_words USING fts5"
            "(scope, words, tokenize = \"unicode61 remove_diacritics 0 categories 'L* M* N* Co'\")"
        )
    else:
        op.execute("CREATE TABLE story_words (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_story_words ON story_words USING gin (words)")
