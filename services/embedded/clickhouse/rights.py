"""What a statement may do in the engine: everything with tables, nothing with files and addresses."""

# The engine's default user may all. What is not granted here is every right on a source (FILE, URL, S3, REMOTE, …),
# named collections and users. It covers what no reading of a statement finds: table names that
# come as parameters or texts, and functions and engines of a later version.
USERS = """<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password/>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants>
      <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, CHECK, KILL QUERY, SYSTEM, dictGet, INTROSPECTION ON *.*</query>
    </grants>
  </default></users>
</clickhouse>
"""  # noqa: E501 - one GRANT is one line
# The engine makes its first database of tables and, below them, of every file by its path: to look a new table's name
# up there takes the right to read files. Under a name of its own it is in nobody's way, and `default` is a plain one.
FILES_DATABASE = "files_of_this_machine"
