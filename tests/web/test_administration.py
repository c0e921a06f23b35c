"""Administration: what is set, and where it comes from; never a secret."""

from pydantic import SecretStr

from incident.domain.access import Role
from incident.settings import Settings


def test_the_page_leads_to_every_room_that_the_reader_may_enter(as_):
    page = as_(Role.ADMINISTRATOR).get("/administration/").text
    for address in ("/team/", "/team/webhooks/", "/record/keys/", "/readiness/", "/reference/", "/channels/"):
        assert f'href="{address}"' in page
    assert 'href="/team/webhooks/"' not in as_(Role.AUDITOR).get("/administration/").text
    assert as_(Role.RESPONDER).get("/administration/").status_code == 403


def test_a_secret_is_said_to_be_set_and_never_shown(app, as_, client, token_for, monkeypatch):
    settings = app.extensions["settings"]
    changed = settings.model_copy(
        update={
            "sendgrid_api_key": SecretStr("SG.never"),
            "database_url": "postgresql+psycopg://me:word@host/db",
            "company_name": "Example Shop",
        }
    )
    monkeypatch.setitem(app.extensions, "settings", changed)
    answer = client.get("/api/v1/administration/settings", headers=token_for(Role.ADMINISTRATOR))
    found = {one["name"]: one for one in answer.json["settings"]}
    assert found["sendgrid_api_key"]["value"] == "set"
    assert found["twilio_auth_token"]["value"] == ""
    assert found["database_url"]["value"] == "postgresql+psycopg://host/db"
    assert set(found) == set(Settings.model_fields)
    for text in (answer.text, as_(Role.ADMINISTRATOR).get("/administration/settings.csv").text):
        assert "SG.never" not in text
        assert "me:word" not in text


def test_each_setting_says_where_its_value_comes_from(tmp_path, monkeypatch):
    (tmp_path / "tocsin.toml").write_text('company_name = "Example"\nport = 9000\n', "utf-8")
    monkeypatch.setenv("TOCSIN_INSTANCE", str(tmp_path))
    monkeypatch.setenv("TOCSIN_PORT", "9100")
    origins = Settings().origins()
    assert (origins["port"], origins["company_name"], origins["host"]) == ("environment", "file", "default")


def test_the_page_says_in_the_readers_language_where_each_value_comes_from(app, as_, monkeypatch):
    monkeypatch.setenv("TOCSIN_CONTACT_NAME", "Office")
    plain = Settings(
        instance=app.extensions["settings"].instance,
        database_url=app.extensions["settings"].database_url,
        sendgrid_from="desk@example.org",
    )
    monkeypatch.setitem(app.extensions, "settings", plain)
    boss = as_(Role.ADMINISTRATOR)
    boss.post("/administration/organisation/", data={"company_name": "Example Shop"})
    for language, said, outside in (("en", "said on a page", "environment"), ("zh-Hans", "在页面上填写", "环境变量")):
        boss.post("/account/language", data={"language": language})
        page = boss.get("/administration/").text
        assert said in page.split("company_name")[1].split("</tr>")[0]
        assert outside in page.split("contact_name")[1].split("</tr>")[0]
