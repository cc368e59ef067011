"""Writes lbfgs.json: the logistic regression of iris by scikit-learn in float64.

    python3 lbfgs.py     # with scikit-learn
"""
import json
import pathlib
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

features, classes = load_iris(return_X_y=True)
model = LogisticRegression(C=1.0, solver="newton-cg", tol=1e-12, max_iter=100_000).fit(features, classes)
pathlib.Path(__file__).with_name("lbfgs.json").write_text(json.dumps({
    "sklearn": sklearn.__version__,
    "features": features.flatten().tolist(), "classes": classes.tolist(),
    "weights": model.coef_.flatten().tolist(), "biases": model.intercept_.tolist(),
}) + "\n")
