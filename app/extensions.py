"""Flask extensions, unbound: `create_app` binds them, so two applications share nothing through them."""

from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from app.storage.columns import Base

db = SQLAlchemy(model_class=Base)
migrate = Migrate()
jwt = JWTManager()
