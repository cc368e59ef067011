"""The figures that the tests of report/metrics.rs expect, by scikit-learn 1.9.1.

pip install scikit-learn==1.9.1 && python metrics.py
"""

from sklearn import metrics

truth = [0, 1, 2, 2, 1, 0]
probabilities = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]
predicted = [row.index(max(row)) for row in probabilities]
print("confusion", metrics.confusion_matrix(truth, predicted).tolist())
print("accuracy", metrics.accuracy_score(truth, predicted))
print("log loss", repr(metrics.log_loss(truth, probabilities)))
print("macro F1", metrics.f1_score(truth, predicted, average="macro"))
print("ROC AUC", metrics.roc_auc_score([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.4]))
truth, predicted = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
print("R2", repr(metrics.r2_score(truth, predicted)))
print("MAE", metrics.mean_absolute_error(truth, predicted))
print("RMSE", repr(metrics.root_mean_squared_error(truth, predicted)))
