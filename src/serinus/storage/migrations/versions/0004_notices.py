"""PostgreSQL tells every process of a split or events that were stored; SQLite's file shows it by itself."""

from alembic import op

revision = "0004"
down_revision = "0003"

FUNCTION = """
CREATE FUNCTION serinus_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('serinus', TG_TABLE_NAME);
    RETURN NULL;
END
$$
"""
TRIGGERS = {"serinus_split": "UPDATE", "serinus_events": "INSERT"}


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(FUNCTION)
    for table, change in TRIGGERS.items():
        when = f"AFTER {change} ON {table} FOR EACH STATEMENT"
        op.execute(f"CREATE TRIGGER {table}_notify {when} EXECUTE FUNCTION serinus_notify()")
