BEGIN TRANSACTION;
CREATE TABLE marks (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "marks" VALUES('tracked','9.0beta4');
CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            command TEXT NOT NULL,
            descriptor TEXT NOT NULL,
            product TEXT NOT NULL,
            version TEXT NOT NULL,
            arch TEXT NOT NULL,
            started INTEGER NOT NULL,  -- microseconds since 1970
            seconds REAL NOT NULL,
            status INTEGER NOT NULL,
            image TEXT NOT NULL,
            image_size INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            problem TEXT NOT NULL,
            hint TEXT NOT NULL
        );
INSERT INTO "runs" VALUES(1,'refresh','/etc/release-builder/releases.d/sme9.yaml','smeserver','9.0beta3','x86_64',1700000000000000,12.5,0,'/srv/sme/image/smeserver-9.0beta3-x86_64.iso',727961600,1,'','');
INSERT INTO "runs" VALUES(2,'refresh','/etc/release-builder/releases.d/sme9.yaml','smeserver','9.0beta3','x86_64',1700086400000000,0.25,1,'',0,0,'the mirror does not answer','run again later');
CREATE TABLE steps (
            run INTEGER NOT NULL,
            place INTEGER NOT NULL,
            step TEXT NOT NULL,
            outcome TEXT NOT NULL,
            seconds REAL NOT NULL,
            counts TEXT NOT NULL,  -- a JSON object
            message TEXT NOT NULL,
            PRIMARY KEY (run, place)
        ) WITHOUT ROWID;
INSERT INTO "steps" VALUES(1,0,'sync','done',11.0,'{"files_fetched": 3, "bytes_fetched": 4096}','3 files fetched');
INSERT INTO "steps" VALUES(1,1,'verify','done',1.5,'{}','all is right');
INSERT INTO "steps" VALUES(2,0,'sync','incomplete',0.25,'{}','the mirror does not answer');
CREATE INDEX runs_of_release ON runs (descriptor, product, arch);
COMMIT;
PRAGMA application_id = 1919051891;
PRAGMA user_version = 2;
